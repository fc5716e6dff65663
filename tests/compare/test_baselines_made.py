"""Baselines made by diffusers pipelines: real ones, tiny, with random weights, offline."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from splatfilm.base.errors import InputError, MissingPartError
from splatfilm.compare.generate import Request, run_baseline
from splatfilm.compare.manifest import read_baseline
from splatfilm.compare.pipelines import PIPELINES, Ask, Loaded, Weights, generate, load_pipeline
from splatfilm.compare.seeds import seed_of, seeded_takes
from splatfilm.film import load

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shots"))
from tiny_film import TinyFilm, build_tiny

PROMPTS = {"010": "a sunny room", "020": "the mug"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    pytest.importorskip("diffusers")
    pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)  # these models are so small that threads only wait for each other
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        from tiny_models import TEXT_TO_VIDEO

        home = tmp_path_factory.mktemp("models")
        yield {name: build(home / name) for name, build in TEXT_TO_VIDEO.items()}


@pytest.fixture
def film(tmp_path: Path) -> TinyFilm:
    tiny = build_tiny(tmp_path / "film")
    tiny.edit("size = [96, 54]", "size = [32, 32]")
    tiny.edit("frames = [1001, 1012]", "frames = [1001, 1009]")
    tiny.edit("frames = [1016, 1025]", "frames = [1016, 1023]")
    return tiny


@pytest.mark.parametrize("name", ["WanPipeline", "LTXPipeline", "CogVideoXPipeline"])
def test_a_tiny_pipeline_makes_a_take_that_its_seed_decides(folders: dict[str, Path], name: str) -> None:
    loaded = load_pipeline(Weights(str(folders[name])))
    assert loaded.name == name
    count = loaded.pipeline.frames_for(9)
    size = loaded.pipeline.size_for((32, 32))

    def ask(seed: int) -> list[np.ndarray]:
        return generate(loaded, Ask("a sunny bed room", "", size, count, 24.0, seed, steps=2, guidance=3.0))

    first, again, other = ask(7), ask(7), ask(8)
    assert len(first) == count == 9
    assert first[0].shape == (32, 32, 3) and first[0].dtype == np.uint8
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_run_writes_every_take_with_its_seed_and_a_manifest_that_is_read_back(
    folders: dict[str, Path], film: TinyFilm
) -> None:
    loaded = load_pipeline(Weights(str(folders["LTXPipeline"])))
    request = Request("ltx", "LTX, tiny", PROMPTS, takes=2, steps=1, size=(32, 32))
    manifest = run_baseline(load(film.path), loaded, request, film.out)
    assert manifest == film.out / "tiny" / "baselines" / "ltx" / "baseline.json"
    found = read_baseline(manifest, ("010", "020"), film.path)
    assert found.problems == ()
    (method,) = found.methods
    assert (method.information, method.protocol, method.given) == ("I0", "T", ("text",))
    assert {(c.shot, c.take): c.seed for c in method.clips} == {
        (shot, take): seed_of("kitchen", shot, take) for shot in ("010", "020") for take in (1, 2)
    }
    clip = next(c for c in method.clips if c.shot == "020")
    assert (clip.size, clip.rate, clip.frames, clip.last) == ((32, 32), 24000 / 1001, 9, 7)
    with Image.open(clip.path / "0001.png") as picture:
        assert picture.size == (32, 32)

    before = {path: path.stat().st_mtime_ns for path in manifest.parent.rglob("*.png")}
    run_baseline(load(film.path), loaded, request, film.out)
    assert {path: path.stat().st_mtime_ns for path in manifest.parent.rglob("*.png")} == before


def test_shots_without_a_prompt_are_named(folders: dict[str, Path], film: TinyFilm) -> None:
    loaded = load_pipeline(Weights(str(folders["LTXPipeline"])))
    with pytest.raises(InputError, match="shots 020 have no prompt"):
        run_baseline(load(film.path), loaded, Request("x", "x", {"010": "a bed"}), film.out)


@pytest.mark.parametrize("pipeline", ["", "WanPipeline"])
def test_a_model_that_is_nowhere_is_told_without_asking_the_hub(pipeline: str) -> None:
    pytest.importorskip("diffusers")
    with pytest.raises(MissingPartError, match="no such folder, and it is not in the local cache"):
        load_pipeline(Weights("nobody/nothing-at-all", pipeline))


def test_a_model_in_the_hub_s_local_cache_is_found_by_its_name_and_says_what_it_is(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    there = tmp_path / "models--somebody--tiny-wan"
    shutil.copytree(folders["WanPipeline"], there / "snapshots" / ("a" * 40))
    (there / "refs").mkdir()
    (there / "refs" / "main").write_text("a" * 40)
    loaded = load_pipeline(Weights("somebody/tiny-wan"))
    assert loaded.name == "WanPipeline" and loaded.facts["name"] == "somebody/tiny-wan"


def test_a_model_of_another_kind_is_refused_with_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "WanPipelin"}))
    with pytest.raises(InputError, match='did you mean "WanPipeline"'):
        load_pipeline(Weights(str(tmp_path)))


class _Recorder:
    """A pipeline that notes what it is told and gives grey frames."""

    def __call__(self, **told: Any) -> Any:
        self.told = told
        count = told.get("num_frames") or len(told["video"])
        shape = (1, count, told["height"], told["width"], 3)
        return type("Made", (), {"frames": np.full(shape, 0.5, np.float32)})()


@pytest.mark.parametrize("name", ["StableVideoDiffusionPipeline", "SanaWMPipeline", "WanVACEPipeline"])
def test_each_class_of_input_is_told_in_its_own_words(name: str, film: TinyFilm, monkeypatch: Any) -> None:
    call = _Recorder()
    loaded = Loaded(name, PIPELINES[name], call, {"name": "m", "revision": None, "library": "diffusers 0"})
    still = [np.full((32, 32, 3), 10 * i, np.uint8) for i in range(9)]
    monkeypatch.setattr("splatfilm.compare.generate.our_takes", lambda film, folders: {"010": None, "020": None})
    monkeypatch.setattr("splatfilm.compare.generate.take_frames", lambda film, shot, take: still)
    request = Request("m", "M", PROMPTS, takes=1, translation_scale=2.0, control=lambda shot: still, shots=("010",))
    manifest = run_baseline(load(film.path), loaded, request, film.out)
    method = json.loads(manifest.read_text())["methods"][0]
    if name == "StableVideoDiffusionPipeline":
        assert "prompt" not in call.told and call.told["fps"] == 24 and call.told["image"].size == (64, 64)
        assert (method["class"], method["protocol"]) == ("I1", "FF")
    elif name == "SanaWMPipeline":
        assert call.told["c2w"].shape == (9, 4, 4) and call.told["num_frames"] == 9
        assert call.told["c2w"][0, :3, 3].tolist() == pytest.approx([0, -8, 2])  # at [0, -4, 1], twice as far
        assert call.told["c2w"][8, :3, 3].tolist() == pytest.approx([1.0, -8, 2])  # half way to 1012, twice as far
        assert call.told["intrinsics"][2:].tolist() == [16, 16]
        assert (method["class"], method["camera_input"], method["translation_scale"]) == ("I3", "c2w", 2.0)
    else:
        assert [frame.getpixel((0, 0))[0] for frame in call.told["video"]] == [10 * i for i in range(9)]
        assert call.told["mask"][0].getpixel((0, 0)) == (255, 255, 255)
        assert method["class"] == "I5"


def test_seeds_follow_the_rule_in_every_mode() -> None:
    assert seed_of("bedroom", "020", 3) == 0xAC1A3DE7
    per_shot, one, twice = ([*seeded_takes("s", 2, mode)] for mode in ("per-shot", "one", "twice"))
    assert per_shot[0].seed("010") != per_shot[0].seed("020")
    assert one[0].seed("010") == one[0].seed("020") != one[1].seed("010")
    assert [t.seed("010") for t in twice] == [seed_of("s", "010", k) for k in (1, 1, 2, 2)]


def test_frames_and_sizes_are_those_that_a_model_makes() -> None:
    ltx = PIPELINES["LTXPipeline"]
    assert [ltx.frames_for(n) for n in (1, 9, 10, 24)] == [1, 9, 17, 25]
    assert ltx.size_for((640, 360)) == (640, 352)
