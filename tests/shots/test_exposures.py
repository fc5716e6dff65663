"""Films with depth of field and an open shutter: which frames they blur, and what their keys hold."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_film import FILM, FakeRenderer, TinyFilm, camera_file

from splatfilm.base.errors import InputError
from splatfilm.film import load
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.pictures import read_picture
from splatfilm.shots.plan import ShotPlan
from splatfilm.shots.schedule import RenderOptions, plan_film, render_shots
from splatfilm.stage import Placements

LENS = "\n[film.lens]\n"


def plans(film: TinyFilm, **changes: str) -> dict[str, ShotPlan]:
    """The plans of the tiny film with a `[film.lens]` of these."""
    table = LENS + "".join(f"{key} = {value}\n" for key, value in changes.items())
    film.path.write_text(FILM.replace("size = [96, 54]\n", "size = [96, 54]\n" + (table if changes else "")))
    return dict(plan_film(load(film.path), RenderOptions(out=film.out)).plans)


def test_the_shutter_blurs_only_frames_in_which_something_moves(tiny: TinyFilm) -> None:
    sharp, blurred = plans(tiny), plans(tiny, shutter_angle="180")
    # 010: the camera leaves at 1006 and stands again from 1012; 020: the mug leaves at 1020.
    assert sorted(blurred["010"].exposures) == [1006, 1007, 1008, 1009, 1010, 1011]
    assert sorted(blurred["020"].exposures) == [1020, 1021, 1022, 1023, 1024, 1025]
    for shot in ("010", "020"):
        for frame, key in blurred[shot].keys.items():
            assert (key == sharp[shot].keys[frame]) == (frame not in blurred[shot].exposures)


def test_the_opening_s_phase_decides_which_frames_see_the_motion(tiny: TinyFilm) -> None:
    centred = plans(tiny, shutter_angle="180", shutter_phase="-90")
    assert sorted(centred["010"].exposures) == [1006, 1007, 1008, 1009, 1010, 1011, 1012]
    exposure = centred["010"].exposures[1006]
    assert (exposure.opens, exposure.closes) == (1005.75, 1006.25)
    assert exposure.camera(0.5).pose[0, 3] == 0.0
    assert exposure.camera(1.0).pose[0, 3] == pytest.approx(0.25 / 6)


def test_a_change_of_anything_that_blurs_is_a_change_of_the_key(tiny: TinyFilm) -> None:
    keys = {plans(tiny, shutter_angle=angle)["010"].keys[1008] for angle in ("0", "90", "180")}
    keys |= {plans(tiny, shutter_angle="180", samples=count)["010"].keys[1008] for count in ("1", "8", "16")}
    keys |= {plans(tiny, shutter_angle="180", shutter_phase="-90")["010"].keys[1008]}
    assert len(keys) == 6  # no shutter and one sample are one picture


def test_the_key_holds_stop_and_focus_only_with_depth_of_field(tiny: TinyFilm) -> None:
    def keys(focus: float, on: str) -> list[str]:
        text = camera_file((1001, [3, -3, 1]))
        lens = f'"focal_mm": 24.0, "t_stop": 2.0, "focus_m": {focus}'
        (tiny.folder / "still.json").write_text(text.replace('"focal_mm": 24.0', lens))
        return list(plans(tiny, depth_of_field=on)["020"].keys.values())

    assert keys(2.0, "false") == keys(3.0, "false")
    assert not set(keys(2.0, "true")) & set(keys(3.0, "true"))
    assert not set(keys(2.0, "true")) & set(keys(2.0, "false"))


def test_a_lens_with_a_stop_and_no_focus_is_refused_only_where_it_matters(tiny: TinyFilm) -> None:
    text = camera_file((1001, [3, -3, 1]))
    (tiny.folder / "still.json").write_text(text.replace('"focal_mm": 24.0', '"focal_mm": 24.0, "t_stop": 2.0'))
    plans(tiny)
    with pytest.raises(InputError, match=r"shot 020: at scene frame 1016, the lens is at T2 but has no focus distance"):
        plans(tiny, depth_of_field="true")


def test_blurred_frames_are_drawn_and_found_again(tiny: TinyFilm) -> None:
    plans(tiny, shutter_angle="360", samples="8")
    options = RenderOptions(out=tiny.out, shots=("020",), frames=(1016, 1022))
    (first,) = render_shots(load(tiny.path), options)
    assert first.drawn == 2
    (again,) = render_shots(load(tiny.path), options)
    assert (again.drawn, again.kept) == (0, 2)
    moving, _ = read_picture(next(path for path in tiny.frames("020") if ".1022." in path.name))
    tiny.out.rename(tiny.folder / "blurred")
    plans(tiny)
    render_shots(load(tiny.path), options)
    sharp, _ = read_picture(next(path for path in tiny.frames("020") if ".1022." in path.name))
    folder = FilmFolders.of(tiny.folder / "blurred", load(tiny.path)).shot("020") / "v001"
    still, _ = read_picture(next(folder.glob("*beauty*.1016.png")))
    plain, _ = read_picture(next(path for path in tiny.frames("020") if ".1016." in path.name))
    assert np.array_equal(still, plain)
    assert not np.array_equal(moving, sharp)


def test_a_member_is_there_until_its_last_frame_is_over(tiny: TinyFilm) -> None:
    tiny.edit('name = "mug"\nasset = "mug"\n', 'name = "mug"\nasset = "mug"\nframes = [1021, 1024]\n')
    placements = Placements(load(tiny.path), "kitchen")
    assert [len(placements.at(frame)) for frame in (1020.9, 1021, 1024, 1024.9, 1025)] == [1, 2, 2, 2, 1]
    # A shutter that is centred on its first frame does not fade it in: it is in that picture.
    assert len(placements.at(1020.9, shown=1021)) == 2
    assert placements.at(1020.9, shown=1021)[1].place.translation[0] == pytest.approx(0.045)


def test_a_frame_in_flight_waits_while_the_next_is_begun(tiny: TinyFilm) -> None:
    events: list[str] = []

    class Flight:
        """Says when its pixels are asked for, as a frame on its way from a GPU would wait then."""

        in_flight = True

        def __init__(self, frame: int, drawn: object) -> None:
            self._frame, self._drawn = frame, drawn

        def __getattr__(self, name: str) -> object:
            events.append(f"read {self._frame}")
            return getattr(self._drawn, name)

    fake = FakeRenderer()

    def draw(scene: str, frame: int, camera: object) -> Flight:
        events.append(f"draw {frame}")
        return Flight(frame, fake(scene, frame, camera))

    options = RenderOptions(out=tiny.out, shots=("010",), frames=(1007, 1008, 1009))
    (result,) = render_shots(load(tiny.path), options, draw=draw)
    assert result.drawn == 3
    order = list(dict.fromkeys(events))
    assert order == ["draw 1007", "draw 1008", "read 1007", "draw 1009", "read 1008", "read 1009"]
