"""The 3D overview: who reaches it, what it shows, and that what is dragged there is an edit."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studio_film import build_tiny, serving

pytest.importorskip("viser")
websockets = pytest.importorskip("websockets")
from websockets.asyncio.client import connect  # noqa: E402
from websockets.exceptions import InvalidStatus  # noqa: E402

from splatfilm.layout import Document  # noqa: E402
from splatfilm.splats import read_splats  # noqa: E402
from splatfilm.studio import show  # noqa: E402
from splatfilm.studio.clouds import Cloud, cloud_of, opened, roof_over  # noqa: E402
from splatfilm.studio.overview import FOV, FROM, SECRET_HEADER, Heard, Overview, fitting, library  # noqa: E402
from splatfilm.studio.world import world_of  # noqa: E402

PROTOCOL = f"viser-v{library().__version__}"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("overview") / "film").path


@pytest.fixture
def overview() -> Iterator[Overview]:
    heard: list[Heard] = []
    made = Overview(heard.append)
    yield made
    made.close()


def got(port: int, path: str = "/", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers=headers)
    return connection.getresponse().status


def knock(port: int, path: str, origin: str | None, **headers: str) -> int:
    """200 when a WebSocket gets in and is sent something, else the status of the refusal."""

    async def try_it() -> int:
        try:
            async with connect(
                f"ws://127.0.0.1:{port}{path}",
                origin=origin,  # type: ignore[arg-type]
                subprotocols=[PROTOCOL],  # type: ignore[list-item]
                additional_headers=headers,
                max_size=None,
                proxy=None,
            ) as socket:
                assert await asyncio.wait_for(socket.recv(), 20)
                return 200
        except InvalidStatus as refused:
            return refused.response.status_code

    return asyncio.run(try_it())


def test_the_overviews_own_port_refuses_everybody_but_the_studio(overview: Overview) -> None:
    port = overview.port
    for origin in ("http://evil.example", f"http://127.0.0.1:{port}", None):
        assert knock(port, "/", origin) == 403
        assert knock(port, "/", origin, **{SECRET_HEADER: "guessed"}) == 403
    assert got(port) == 403
    assert knock(port, "/", None, **{SECRET_HEADER: overview.secret}) == 200


def test_the_studios_doorway_to_the_overview_needs_token_and_origin(tmp_path: Path) -> None:
    with serving(build_tiny(tmp_path / "film")) as (_, port, token, log):
        own = f"http://127.0.0.1:{port}"
        assert knock(port, f"/overview-socket?token={token}", own) == 200
        assert knock(port, f"/overview-socket?token={token}", "http://evil.example") == 403
        assert knock(port, f"/overview-socket?token={token}", None) == 403
        assert knock(port, "/overview-socket?token=wrong", own) == 403
        assert got(port, "/overview") == 403
        assert got(port, f"/overview?token={token}") == 200
        assert "refused /overview-socket (http://evil.example)" in log.read_text()


def test_splats_shown_alone_are_shown_to_our_own_page_alone(film: Path) -> None:
    shown = show(film.parent / "room.ply")
    try:
        port, own = shown.port, f"http://127.0.0.1:{shown.port}"
        token = shown.address.split("token=")[1]
        assert got(port) == 403
        assert got(port, f"/?token={token}") == 200
        assert knock(port, f"/?token={token}", "http://evil.example") == 403
        assert knock(port, f"/?token={token}", own) == 200
    finally:
        shown.close()


def test_of_many_splats_those_that_cover_most_are_kept(film: Path) -> None:
    splats = read_splats(film.parent / "room.ply")
    few = cloud_of(splats, 10)
    cover = (splats.opacities * splats.scales.topk(2, dim=1).values.prod(dim=1)).numpy()
    best = np.sort(np.argsort(cover)[-10:])
    assert np.array_equal(few.centres, splats.means.numpy()[best])
    assert len(cloud_of(splats)) == len(splats)
    assert np.allclose(few.covariances, few.covariances.transpose(0, 2, 1))
    areas = np.prod(splats.scales.numpy()[best].astype(np.float64) ** 2, axis=1)
    assert np.allclose(np.linalg.det(few.covariances.astype(np.float64)), areas, rtol=1e-3)


def test_a_million_splats_become_as_many_as_a_browser_draws() -> None:
    import torch

    from splatfilm.splats import Splats

    count = 1_000_000
    means = torch.rand(count, 3)
    quats = torch.zeros(count, 4)
    quats[:, 0] = 1
    sh = torch.zeros(count, 1, 3)
    cloud = cloud_of(Splats(means, quats, torch.full((count, 3), 0.01), torch.rand(count), sh))
    assert len(cloud) == 200_000
    assert float(cloud.opacities.min()) > 0.79  # alike in size, so the most opaque fifth is kept


def test_the_world_is_the_films_cameras_at_the_playhead(film: Path) -> None:
    document = Document.open(film)
    world = world_of(document, "020", 1025, {})
    one, two = world.cameras
    assert (one.name, one.chosen, two.name, two.chosen) == ("010", False, "020", True)
    assert np.array_equal(one.pose, document.bake("010").poses[-1])  # its shot is over: it waits where it ended
    assert np.array_equal(two.pose, document.bake("020").poses[9])
    assert world.marks == {"mug": (0.25, 0.0, 0.2)}
    assert world.line is None  # nobody is in the scene
    assert set(world_of(document, "010", 1001, {}).cameras[0].keys) == {1001, 1006, 1012}


def test_what_is_drawn_already_is_not_sent_again(overview: Overview, film: Path) -> None:
    document = Document.open(film)
    overview.show(world_of(document, "010", 1001, {}))
    nodes = dict(overview._nodes)
    assert {"/cameras/010/lens", "/cameras/020/lens", "/cameras/010/way", "/cameras/010/key-1006"} <= nodes.keys()
    overview.show(world_of(document, "010", 1001, {}))
    assert all(overview._nodes[name][1] is handle for name, (_, handle) in nodes.items())
    overview.show(world_of(document, "020", 1016, {}))
    assert "/cameras/010/key-1006" not in overview._nodes


def test_clouds_come_and_go_with_the_cast(overview: Overview, film: Path) -> None:
    cloud = cloud_of(read_splats(film.parent / "mug.ply"), key="a")
    overview.show_clouds({"room": cloud, "mug": cloud})
    assert overview.cloud_keys == {"room": "a", "mug": "a"}
    overview.show_clouds({"room": None, "mug": Cloud("b", *(getattr(cloud, n) for n in _FIELDS))})
    assert overview.cloud_keys == {"room": "a", "mug": "b"}
    overview.show_clouds({"room": None})
    assert overview.cloud_keys == {"room": "a"}


_FIELDS = ("centres", "covariances", "colours", "opacities")


def heard_by(session: Any, *many: Heard) -> None:
    for one in many:
        session.heard(one)


def test_a_camera_dragged_in_the_overview_is_one_undo_step(film: Path, tmp_path: Path) -> None:
    from test_studio_session import Window, made

    session = made(tmp_path, film)
    window = Window(session)
    window.ask(do="watch", shot="020", frame=1016)
    before = session.document.bake("020").poses[0]
    drag = [Heard("move", "020", None, (x, -4.0, 1.0), None, "g1") for x in (0.1, 0.2, 0.3)]
    heard_by(session, *drag)
    assert session.document.bake("020").poses[0][:3, 3] == pytest.approx((0.3, -4.0, 1.0))
    assert window.state["undo"] == "Stand camera"
    window.ask(do="undo")
    assert np.array_equal(session.document.bake("020").poses[0], before)
    assert window.state["undo"] is None


def test_what_is_clicked_in_the_overview_is_shown_in_the_windows(film: Path, tmp_path: Path) -> None:
    from test_studio_session import Window, made

    window = Window(session := made(tmp_path, film))
    heard_by(session, Heard("key", "010", 1006), Heard("shot", "nobody"))
    assert window.got[-1] == {"type": "choose", "shot": "010", "frame": 1006}


def test_everything_that_must_be_seen_fits_into_the_overview() -> None:
    """A pyramid of cameras, projected by hand from where visitors are put."""
    points = np.array([(-4.0, 0, 1), (4, 1, 2), (0, -3, 0), (1, 3, 1.5)])
    points -= (points.min(axis=0) + points.max(axis=0)) / 2
    distance = fitting(points)
    depth = distance - points @ FROM
    off = np.linalg.norm(points - (points @ FROM)[:, None] * FROM, axis=1)
    shares = off / depth / (np.tan(FOV / 2) * 0.75)
    assert shares.max() == pytest.approx(0.9)
    assert depth.min() > 0


def test_a_room_is_cut_open_above_its_cameras_and_a_street_is_not() -> None:
    import torch

    from splatfilm.splats import Splats

    def placed(height: float) -> Splats:
        """A box of 6 by 4 metres and this height, filled evenly, with one splat of a distant hill and one of haze."""
        rng = torch.Generator().manual_seed(1)
        means = torch.rand(4000, 3, generator=rng) * torch.tensor([6.0, 4.0, height])
        means[0] = torch.tensor([300.0, 0.0, 20.0])
        scales = torch.full((4000, 3), 0.02)
        scales[1] = 2.0
        quats = torch.zeros(4000, 4)
        quats[:, 0] = 1
        return Splats(means, quats, scales, torch.ones(4000), torch.zeros(4000, 1, 3))

    eyes = np.array([(1.0, 1.0, 1.4), (2.0, 3.0, 1.6)], dtype=np.float32)
    assert roof_over(eyes) == 2.0  # 1.6 + 0.35, by half metres
    room = placed(2.6)
    kept = opened(room, eyes)
    assert float(room.means[kept][:, 2].max()) <= 2.0
    assert 0.7 < len(kept) / 4000 < 0.8  # 2.0 of 2.6
    street = placed(12.0)
    kept = opened(street, eyes)
    assert float(street.means[kept][:, 2].max()) > 11
    assert not {0, 1} & set(kept.tolist())
