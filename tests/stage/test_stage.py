"""A scene's splats at a scene frame."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from stage_makers import film, heading, key, member

from splatfilm.base.errors import InputError
from splatfilm.base.rigid import Similarity
from splatfilm.film.model import Film, FrameRange, LookChange
from splatfilm.splats import Splats, read_splats, transformed, write_ply
from splatfilm.stage import Stage, Staged

NAMES = ("means", "quats", "scales", "opacities", "sh")
COUNTS = {("flat", "day"): 300, ("mug", "plain"): 70, ("anna", "pyjamas"): 110, ("anna", "gown"): 130}


def random_splats(count: int, seed: int, mode: str = "classic") -> Splats:
    rng = np.random.default_rng(seed)
    quats = rng.normal(size=(count, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    values = [
        rng.normal(size=(count, 3)),
        quats,
        np.exp(rng.normal(-4, 1, size=(count, 3))),
        rng.uniform(0.01, 0.99, size=count),
        rng.normal(0, 0.3, size=(count, 16, 3)),
    ]
    return Splats(*(torch.from_numpy(value.astype(np.float32)) for value in values), mode)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    folder = tmp_path_factory.mktemp("splats")
    paths = {source: folder / f"{'-'.join(source)}.ply" for source in COUNTS}
    for seed, (source, path) in enumerate(paths.items()):
        write_ply(path, random_splats(COUNTS[source], seed))
    return paths


MOVING = (key(1001, (0, 0, 1)), key(1011, (1, 0, 1), 60, 1.5), key(1021, (1, 1, 1), 10))
LOOKS = (LookChange(1001, "pyjamas"), LookChange(1015, "gown"))


def story() -> Film:
    return film(
        member("mug", keys=MOVING),
        member("anna", "anna", keys=(key(1001, (2, 2, 0), 90),), looks=LOOKS),
        member("cup", "mug", keys=(key(1001, (0, 1, 1)),), frames=FrameRange(1005, 1030)),
    )


def digest(staged: Staged) -> str:
    total = hashlib.sha256()
    for name in NAMES:
        total.update(getattr(staged.splats, name).numpy().tobytes())
    return total.hexdigest()


def same(a: Splats, b: Splats, rows_a: slice = slice(None), rows_b: slice = slice(None)) -> bool:
    return all(torch.equal(getattr(a, name)[rows_a], getattr(b, name)[rows_b]) for name in NAMES)


def test_spans_cover_the_rows_set_first_then_the_cast_in_order(sources: dict[tuple[str, str], Path]) -> None:
    staged = Stage(story(), "morning", sources).at(1006)
    found = [(s.member, s.asset, s.look, s.start, s.stop) for s in staged.spans]
    assert found == [
        ("flat", "flat", "day", 0, 300),
        ("mug", "mug", "plain", 300, 370),
        ("anna", "anna", "pyjamas", 370, 480),
        ("cup", "mug", "plain", 480, 550),
    ]
    assert len(staged.splats) == 550


def test_each_member_is_its_file_in_its_place(sources: dict[tuple[str, str], Path]) -> None:
    staged = Stage(story(), "morning", sources).at(1016)
    anna = transformed(read_splats(sources["anna", "gown"]), Similarity(heading(90), (2.0, 2.0, 0.0)))
    assert [s.look for s in staged.spans if s.member == "anna"] == ["gown"]
    assert same(staged.splats, anna, staged.spans[2].rows)


def test_the_set_keeps_the_bits_of_its_file_whatever_its_cast_does(sources: dict[tuple[str, str], Path]) -> None:
    flat = read_splats(sources["flat", "day"])
    stage = Stage(story(), "morning", sources)
    for frame in (1001, 1003.5, 1016, 1031):
        assert same(stage.at(frame).splats, flat, slice(0, 300))
    alone = Stage(film(), "morning", sources).at(1001)
    assert same(alone.splats, flat) and len(alone.spans) == 1


def test_what_did_not_move_keeps_its_bits_when_another_does(sources: dict[tuple[str, str], Path]) -> None:
    stage = Stage(story(), "morning", sources)
    here, there = stage.at(1006), stage.at(1007)
    for number in (0, 2, 3):
        assert same(here.splats, there.splats, here.spans[number].rows, there.spans[number].rows)
    mug = here.spans[1].rows
    assert not torch.equal(here.splats.means[mug], there.splats.means[mug])
    assert torch.equal(here.splats.opacities, there.splats.opacities)


def test_the_same_frame_is_the_same_bytes_in_any_order_of_calls(sources: dict[tuple[str, str], Path]) -> None:
    frames = [1001, 1004, 1005, 1006.25, 1010, 1011, 1014.999, 1015, 1020, 1031]
    stage = Stage(story(), "morning", sources)
    expected = {frame: digest(stage.at(frame)) for frame in frames}
    assert len(set(expected.values())) == len(frames)
    for seed in range(3):
        shuffled = random.Random(seed).sample(frames * 2, 2 * len(frames))
        assert all(digest(stage.at(frame)) == expected[frame] for frame in shuffled)
    assert all(digest(Stage(story(), "morning", sources).at(frame)) == expected[frame] for frame in frames[:4])


def test_frames_of_one_description_share_one_staging(sources: dict[tuple[str, str], Path]) -> None:
    stage = Stage(story(), "morning", sources)
    assert stage.describe(1040) == stage.describe(1050)
    assert stage.at(1040) is stage.at(1050)
    assert stage.describe(1003) != stage.describe(1004)


def test_a_still_member_is_placed_once(sources: dict[tuple[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    import splatfilm.splats

    placed: list[int] = []

    def counting(splats: Splats, place: Similarity) -> Splats:
        placed.append(len(splats))
        return transformed(splats, place)

    monkeypatch.setattr(splatfilm.splats, "transformed", counting)
    stage = Stage(story(), "morning", sources)
    for frame in (1006, 1007, 1008):
        stage.at(frame)
    assert placed == [300, 70, 110, 70, 70, 70]  # everybody once, then only the mug that moves


def test_one_asset_twice_is_read_once_and_stands_twice(sources: dict[tuple[str, str], Path]) -> None:
    staged = Stage(story(), "morning", sources).at(1005)
    mug, cup = staged.spans[1].rows, staged.spans[3].rows
    assert torch.equal(staged.splats.opacities[mug], staged.splats.opacities[cup])
    assert not torch.equal(staged.splats.means[mug], staged.splats.means[cup])


def test_missing_sources_are_named_before_anything_is_read(sources: dict[tuple[str, str], Path]) -> None:
    few = {source: path for source, path in sources.items() if source[0] != "anna"}
    with pytest.raises(ValueError, match=r"needs splats that were not given: anna \(pyjamas\), anna \(gown\)"):
        Stage(story(), "morning", few)


def test_antialiased_and_classic_members_stand_side_by_side(
    sources: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    write_ply(tmp_path / "mip.ply", random_splats(5, 0, "antialiased"))
    mixed = {**sources, ("anna", "gown"): tmp_path / "mip.ply"}
    stage = Stage(story(), "morning", mixed)
    assert stage.at(1014).splats.mode == "classic"
    staged = stage.at(1015)
    assert staged.splats.mode == "mixed" and staged.splats.antialiased is not None
    for span in staged.spans:
        assert (staged.splats.antialiased[span.rows] == (span.look == "gown")).all()


def test_a_damaged_file_is_named_when_it_is_needed(sources: dict[tuple[str, str], Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.ply"
    broken.write_bytes(sources["anna", "gown"].read_bytes()[:-10])
    stage = Stage(story(), "morning", {**sources, ("anna", "gown"): broken})
    stage.at(1014)
    with pytest.raises(InputError, match=r"broken\.ply: is cut short"):
        stage.at(1016)
