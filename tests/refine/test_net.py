"""The network: identity before training, a receptive field that is one, the same bits however it is cut."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from splatfilm.base.errors import InputError
from splatfilm.base.threads import one_torch_thread
from splatfilm.cameras import Camera
from splatfilm.refine import net as network
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.net import GRID, REACH, LocalUNet, open_refiner, refine_planes, save_refiner
from splatfilm.refine.opinions import Opinions
from splatfilm.refine.recipe import UNIT, NetSettings
from splatfilm.refine.stored import find_refiner, in_steps
from splatfilm.splats import Splats, read_splats, write_ply


@pytest.fixture(scope="module")
def taught() -> LocalUNet:
    """A network that changes everything: its last layer is drawn too."""
    net = LocalUNet(seed=3)
    with torch.no_grad():
        for name, values in net.named_parameters():
            if "conv_out" in name:
                values.copy_(torch.randn(values.shape, generator=torch.Generator().manual_seed(4)) * 0.3)
    return net.eval()


def picture(height: int, width: int, seed: int = 1) -> Tensor:
    """Random planes, without opinions."""
    planes = torch.rand(network.PLANES, height, width, generator=torch.Generator().manual_seed(seed))
    planes[8:] = 0
    return planes


def blobs(seed: int) -> Splats:
    """Splats of many colours before a camera at the origin."""
    random = np.random.default_rng(seed)
    arrays = (
        random.uniform((-1, -0.7, 2), (1, 0.7, 3), (200, 3)),
        np.tile([1.0, 0, 0, 0], (200, 1)),
        np.full((200, 3), 0.1),
        np.full(200, 0.8),
        random.uniform(-1, 1, (200, 1, 3)),
    )
    return Splats(*(torch.from_numpy(a.astype(np.float32)) for a in arrays), mode="antialiased")


def frame_of(height: int, width: int, seed: int = 1) -> BareFrame:
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    camera = Camera(np.eye(4), 80.0, 80.0, width / 2, height / 2, width, height)
    flat = (height, width)
    owner = torch.zeros(flat, dtype=torch.int64)
    passes = drawn(*flat, 3), drawn(*flat), 1 + drawn(*flat), drawn(*flat, 3), drawn(*flat, 3)
    return BareFrame(*passes, owner, drawn(*flat), camera, ("flat",), 1001.0, 24.0)


def test_an_untrained_refiner_changes_no_bit() -> None:
    planes = picture(40, 56)
    assert torch.equal(refine_planes(LocalUNet(seed=9), planes), planes[:3])


def test_no_channel_moves_by_more_than_the_bound() -> None:
    net = LocalUNet(NetSettings(bound=0.125))
    with torch.no_grad():
        for name, values in net.named_parameters():
            if "conv_out" in name:
                values.fill_(5.0)
    planes = picture(32, 32)
    moved = (refine_planes(net, planes) - planes[:3]).abs()
    assert 0.1 < float(moved.max()) <= 0.125 + 1e-6


def test_nothing_in_the_network_looks_over_the_whole_frame(taught: LocalUNet) -> None:
    kinds = {type(module).__name__ for module in taught.modules()}
    assert not kinds & {"GroupNorm", "Attention", "BatchNorm2d", "InstanceNorm2d", "AdaptiveAvgPool2d"}
    assert "PixelNorm" in kinds


def test_the_stated_reach_is_what_the_arithmetic_of_the_layers_gives() -> None:
    # One level, worked by hand: conv_in 1, a block of two 3 x 3 down, two blocks up, conv_out 1.
    assert network.reach_of(levels=1) == 1 + 2 + 4 + 1
    assert REACH == 53


@pytest.mark.parametrize("place", [(0, 0), (61, 90), (62, 93), (63, 95), (120, 180)])
def test_an_edit_changes_nothing_beyond_the_reach(taught: LocalUNet, place: tuple[int, int]) -> None:
    planes = picture(124, 184)
    edited = planes.clone()
    edited[:, place[0], place[1]] += 1.0
    changed = (refine_planes(taught, planes) != refine_planes(taught, edited)).any(0)
    rows, columns = (torch.arange(size) for size in changed.shape)
    away = torch.maximum((rows[:, None] - place[0]).abs(), (columns[None] - place[1]).abs())
    assert not changed[away > REACH].any()
    assert int(away[changed].max()) > REACH - 8, "the reach is no empty promise: edits do get about so far"


@pytest.mark.parametrize("largest", [(64, 64), (48, 200), (124, 96)])
def test_tiles_give_the_bits_of_the_whole_frame(taught: LocalUNet, largest: tuple[int, int]) -> None:
    planes = picture(124, 184)
    with torch.inference_mode(), one_torch_thread():
        whole = taught(planes[None])[0]
    assert torch.equal(refine_planes(taught, planes, largest), whole)


def test_tiles_cover_a_frame_once_and_begin_on_the_grid() -> None:
    for height, width in ((360, 640), (1080, 1920), (88, 300), (4, 4)):
        covered = np.zeros((height, width), int)
        for tile in network.tiles_of(height, width):
            covered[slice(*tile.rows), slice(*tile.columns)] += 1
            starts = (tile.rows[0], tile.columns[0], tile.read_rows[0], tile.read_columns[0])
            assert all(start % GRID == 0 for start in starts)
        assert (covered == 1).all()


def test_any_number_of_threads_gives_the_same_bits(taught: LocalUNet, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("SPLATFILM_THREADS", threads)
        found.append(refine_planes(taught, picture(96, 260), (48, 64)))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_sizes_off_the_grid_are_mirrored_at_the_right_and_the_bottom(taught: LocalUNet) -> None:
    row = torch.arange(6.0)[None, None]
    assert network.mirrored(row.expand(1, 4, 6))[0, 0].tolist() == [0, 1, 2, 3, 4, 5, 4, 3]
    assert network.mirrored(torch.ones(2, 1, 1)).shape == (2, 4, 4)
    planes = picture(45, 61)
    assert torch.equal(refine_planes(taught, planes), refine_planes(taught, network.mirrored(planes))[:, :45, :61])


def test_normals_are_turned_into_the_camera() -> None:
    pose = np.eye(4)
    pose[:3, :3] = [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]  # looks along the world's x, its right is -y
    camera = Camera(pose, 50.0, 50.0, 4, 4, 8, 8)
    normal = torch.zeros(8, 8, 3)
    normal[..., 0] = -1  # towards the camera
    planes = network.planes_of(torch.zeros(8, 8, 3), torch.ones(8, 8), torch.full((8, 8), 3.0), normal, camera)
    assert planes[3:, 0, 0].tolist() == [0.25, 1, 0, 0, -1]


def test_what_opinions_agree_on_is_taken_up_to_the_bound() -> None:
    planes = picture(8, 8)
    planes[8], planes[9] = 0.25, 2.0
    moved = refine_planes(LocalUNet(NetSettings(bound=0.5)), planes) - planes[:3]
    assert torch.allclose(moved[0], torch.tensor(0.25))
    assert torch.allclose(moved[1], torch.tensor(0.5)), "held by the bound"
    assert not moved[2].any()


def test_a_refiner_comes_back_from_its_folder_with_the_same_bits(taught: LocalUNet, tmp_path: Path) -> None:
    folder = tmp_path / "asset" / "refiner"
    frame = frame_of(32, 48)
    write_ply(tmp_path / "asset" / "splats.ply", blobs(0))
    others = [tmp_path / f"{number}.ply" for number in (1, 2)]
    for number, path in enumerate(others, 1):
        write_ply(path, blobs(number))
    save_refiner(taught, others, folder, {"trained on": "a test"})
    found = find_refiner(tmp_path / "asset" / "splats.ply")
    assert found is not None
    assert found.reach == REACH
    assert found.facts["trained on"] == "a test"
    known = Opinions(*_read(tmp_path / "asset" / "splats.ply", *others))
    before = network.SceneRefiner(taught, known, torch.device("cpu"))(frame)
    assert torch.equal(found.open("cpu")(frame), before)
    assert before.shape == (32, 48, 3)
    bare = network.SceneRefiner(taught, Opinions(), torch.device("cpu"))(frame)
    assert not torch.equal(before, bare), "the opinions count"


def _read(own: Path, *others: Path) -> tuple[Splats, tuple[Splats, ...]]:
    return read_splats(own), tuple(read_splats(path) for path in others)


def test_opinions_of_the_set_say_nothing_of_who_stands_before_it(taught: LocalUNet) -> None:
    frame = frame_of(32, 48)
    known = Opinions(blobs(0), (blobs(1),))
    someone = dataclasses.replace(frame, owner=torch.ones_like(frame.owner))
    refined = network.SceneRefiner(taught, known, torch.device("cpu"))(someone)
    assert torch.equal(refined, network.SceneRefiner(taught, Opinions(), torch.device("cpu"))(someone))


def test_the_network_without_noise_takes_no_noise_as_zeros(taught: LocalUNet) -> None:
    planes = picture(16, 24)
    zeros = torch.cat([planes, torch.zeros(network.NOISY, 16, 24)])
    with torch.inference_mode():
        assert torch.equal(taught(planes[None]), taught(zeros[None]))


def test_several_steps_are_a_function_of_the_noise_and_keep_the_bound(taught: LocalUNet) -> None:
    planes, generator = picture(32, 48), torch.Generator().manual_seed(6)
    one, other = torch.randn(2, 3, 32, 48, generator=generator)
    first = network.refine_in_steps(taught, planes, one, 3)
    assert torch.equal(first, network.refine_in_steps(taught, planes, one, 3))
    assert not torch.equal(first, network.refine_in_steps(taught, planes, other, 3))
    assert float((first - planes[:3]).abs().max()) <= taught.settings.bound + 1e-6
    with pytest.raises(ValueError, match="at least 1"):
        network.refine_in_steps(taught, planes, one, 0)


def test_an_untaught_network_makes_no_noise_of_several_steps() -> None:
    planes = picture(16, 16)
    noise = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(1))
    assert torch.equal(network.refine_in_steps(LocalUNet(), planes, noise, 4), planes[:3])


def test_an_edit_reaches_as_often_as_there_are_steps(taught: LocalUNet) -> None:
    planes = picture(12, 280)
    noise = torch.randn(3, 12, 280, generator=torch.Generator().manual_seed(1))
    edited = planes.clone()
    edited[:8, :, :4] += 1.0
    changed = (
        network.refine_in_steps(taught, planes, noise, 2) != network.refine_in_steps(taught, edited, noise, 2)
    ).any(0)
    assert not changed[:, 4 + 2 * REACH :].any()
    assert changed[:, 4 + REACH :].any()


def test_signal_falls_from_all_to_nothing() -> None:
    assert network.signal_at(0) == 1.0
    assert network.signal_at(500) == pytest.approx(0.5)
    assert network.signal_at(1000) == pytest.approx(0.0, abs=1e-12)


def test_a_damaged_refiner_is_refused_with_its_file(taught: LocalUNet, tmp_path: Path) -> None:
    save_refiner(taught, [], tmp_path, {})
    broken = LocalUNet()
    with torch.no_grad():
        next(broken.parameters()).fill_(torch.nan)
    save_refiner(broken, [], tmp_path / "nan", {})
    with pytest.raises(InputError, match="not finite"):
        open_refiner(tmp_path / "nan", "cpu")
    save_refiner(LocalUNet(NetSettings(channels=(8, 8, 8))), [], tmp_path / "other", {})
    (tmp_path / "other" / "weights.safetensors").replace(tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="not the weights of this network"):
        open_refiner(tmp_path, "cpu")
    (tmp_path / "weights.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(InputError, match=r"weights\.safetensors.*damaged"):
        open_refiner(tmp_path, "cpu")


def test_several_steps_have_a_key_and_a_reach_of_their_own(taught: LocalUNet, tmp_path: Path) -> None:
    save_refiner(taught, [], tmp_path / "refiner", {"training": {"noisy": 0.25, "unit": UNIT}})
    found = find_refiner(tmp_path / "splats.ply")
    assert found is not None
    four, other = in_steps(found, 4, "1", ("flat",)), in_steps(found, 4, "night", ("flat",))
    assert len({found.key, four.key, other.key, in_steps(found, 3, "1", ("flat",)).key}) == 4
    assert four.reach == 4 * REACH + 4
    frame = frame_of(32, 48)
    first = four.open("cpu")(frame)
    assert torch.equal(first, four.open("cpu")(dataclasses.replace(frame, scene_frame=1002.0))), "it stands still"
    assert not torch.equal(first, found.open("cpu")(frame))
    assert not torch.equal(first, other.open("cpu")(frame))


def test_the_say_of_a_network_scales_its_part_and_is_kept(taught: LocalUNet, tmp_path: Path) -> None:
    planes = torch.rand(1, 13, 16, 16, generator=torch.Generator().manual_seed(4)) * 0.2 + 0.4
    planes[:, 8:11] = 0.01
    with torch.inference_mode():
        whole = taught(planes) - planes[:, :3] - 0.01
        taught.say = 0.5
        try:
            half = taught(planes) - planes[:, :3] - 0.01
            inside = whole.abs() < 0.3  # and not cut off by the bound
            assert inside.any()
            torch.testing.assert_close(half[inside], 0.5 * whole[inside], atol=1e-6, rtol=1e-4)
            save_refiner(taught, [], tmp_path / "refiner", {})
            assert open_refiner(tmp_path / "refiner", "cpu").net.say == 0.5
            taught.say = 0.0
            assert torch.equal(taught(planes), planes[:, :3] + planes[:, 8:11]), "what the opinions agree on is left"
        finally:
            taught.say = 1.0


def test_a_refiner_that_counts_otherwise_refuses_several_steps(taught: LocalUNet, tmp_path: Path) -> None:
    save_refiner(taught, [], tmp_path / "refiner", {"training": {"noisy": 0.25}})
    found = find_refiner(tmp_path / "splats.ply")
    assert found is not None
    with pytest.raises(InputError, match=r"units of an earlier version, which are 0\.04 now: train it again"):
        in_steps(found, 4, "1", ("flat",))


def test_a_refiner_taught_for_one_step_refuses_several(taught: LocalUNet, tmp_path: Path) -> None:
    save_refiner(taught, [], tmp_path / "refiner", {"training": {"noisy": 0.0}})
    found = find_refiner(tmp_path / "splats.ply")
    assert found is not None
    with pytest.raises(InputError, match=r"taught for one step only: leave film\.refine\.steps out"):
        in_steps(found, 4, "1", ("flat",))
