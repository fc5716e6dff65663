"""Big models: folders that are whole or refused, our noise in every pipeline, tiles, memory, licences."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from torch import Tensor

from splatfilm.base.errors import InputError, MissingPartError
from splatfilm.film.refine_model import ModelSettings, model_settings
from splatfilm.film.source import parse_toml
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.models import CATALOGUE, ModelSource, known_model
from splatfilm.refine.models.catalogue import licence_warning
from splatfilm.refine.models.door import NoiseIgnoredError, noise_from
from splatfilm.refine.models.loading import open_model
from splatfilm.refine.models.pictures import depth_control, normal_control
from splatfilm.refine.models.tiles import Tile, TooLittleMemoryError, in_tiles, tiles_of
from splatfilm.refine.noise import NoiseGrid
from splatfilm.refine.windows import share_of, windows_of


@dataclass(frozen=True)
class Looking:
    """As much of a camera as models ask for."""

    pose: Any = None


def bare(height: int = 60, width: int = 96, scene_frame: float = 1001.0) -> BareFrame:
    picture = torch.rand(height, width, 3, generator=torch.Generator().manual_seed(7))
    normal = torch.zeros(height, width, 3)
    normal[..., 2] = -1
    one = torch.ones(height, width)
    return BareFrame(
        picture,
        one,
        2 * one,
        normal,
        torch.zeros(height, width, 3),
        torch.zeros(height, width, dtype=torch.int64),
        one,
        Looking(np.eye(4)),
        ("flat",),
        scene_frame,
        24.0,  # type: ignore[arg-type]
    )


def seeded(seed: int) -> Any:
    """White noise by seed and scene frame: what a model does with noise does not depend on where it comes from."""

    def noise(frame: BareFrame, grid: NoiseGrid) -> Tensor:
        generator = torch.Generator().manual_seed(seed + int(frame.scene_frame))
        return torch.randn(*grid.shape(*frame.size), generator=generator)

    return noise


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for make in (tiny_models.stable_diffusion, tiny_models.control_net, tiny_models.motion_adapter, tiny_models.ltx):
        make(folder / make.__name__)
    return folder


def opened(models: Path, seed: int = 1, **settings: Any) -> Any:
    return open_model(ModelSource(ModelSettings(**settings), models), "cpu", seeded(seed))


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "stable_diffusion"},
        {"model": "stable_diffusion", "control": "control_net"},
        {"model": "stable_diffusion", "control": "control_net", "control_input": "normal"},
    ],
    ids=["image", "depth", "normal"],
)
def test_a_picture_comes_from_the_noise_it_was_given_and_from_nothing_else(
    models: Path, settings: dict[str, str]
) -> None:
    frame = bare()
    once, again, other = (opened(models, seed, **settings)(frame) for seed in (1, 1, 2))
    assert once.shape == (60, 96, 3)
    assert torch.equal(once, again)
    assert (once - other).abs().mean() > 1e-4


@pytest.mark.parametrize(
    "settings",
    [{"model": "stable_diffusion", "motion": "motion_adapter"}, {"model": "ltx"}],
    ids=["animatediff", "ltx"],
)
def test_a_window_of_frames_comes_from_the_noise_it_was_given(models: Path, settings: dict[str, str]) -> None:
    frames = [bare(scene_frame=1001.0 + k) for k in range(3)]
    once, again, other = (opened(models, seed, **settings).refine_window(frames) for seed in (1, 1, 50))
    assert [picture.shape for picture in once] == [(60, 96, 3)] * 3
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
    assert (once[0] - other[0]).abs().mean() > 1e-5


@pytest.mark.slow
def test_wan_refines_a_window_too(tmp_path: Path) -> None:
    tiny_models.wan(tmp_path / "wan")
    frames = [bare(scene_frame=1001.0 + k) for k in range(3)]
    once, other = (opened(tmp_path, seed, model="wan").refine_window(frames) for seed in (1, 50))
    assert once[2].shape == (60, 96, 3)
    assert not torch.equal(once[0], other[0])


def test_depth_leads_the_picture_when_a_control_is_given(models: Path) -> None:
    model = opened(models, model="stable_diffusion", control="control_net")
    frame = bare()
    assert not torch.equal(model(frame), model(replace(frame, depth=8 * frame.depth)))


def test_diffusers_still_swallows_latents_without_a_word(models: Path) -> None:
    # The reason for the door: should this fail one day, an ordinary argument will do.
    pipeline = opened(models, model="stable_diffusion").pipeline
    picture = torch.rand(1, 3, 64, 96)
    made = [
        pipeline(
            prompt="",
            image=picture,
            strength=0.5,
            num_inference_steps=2,
            guidance_scale=0.0,
            output_type="pt",
            latents=torch.randn(1, 4, 8, 12),
            generator=torch.Generator().manual_seed(3),
        ).images
        for _ in range(2)
    ]
    assert torch.equal(made[0], made[1])


def test_a_pipeline_that_asks_for_no_noise_is_an_error(models: Path) -> None:
    pipeline = opened(models, model="stable_diffusion").pipeline
    with pytest.raises(NoiseIgnoredError, match="without asking"), noise_from(pipeline, torch.zeros):
        pass


def test_depth_control_is_half_bright_at_two_metres_and_black_where_nothing_is() -> None:
    frame = bare(2, 2)
    frame.depth[0, 0] = 0
    assert depth_control(frame)[1, 1].tolist() == [0.5] * 3
    assert depth_control(frame)[0, 0].tolist() == [0.0] * 3


def test_a_wall_that_faces_the_camera_is_blue_in_the_normal_control() -> None:
    assert normal_control(bare(1, 1))[0, 0].tolist() == [0.5, 0.5, 1.0]


# ---- folders ----------------------------------------


def damaged(models: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(models / "stable_diffusion", tmp_path / "model"))


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as error:
        _ = ModelSource(ModelSettings(model=str(folder)), folder).weights
    return str(error.value)


def test_a_folder_without_an_index_says_which_file_is_missing(tmp_path: Path) -> None:
    assert "model_index.json: is missing" in refused(tmp_path)


def test_every_missing_part_of_a_model_is_named_in_one_go(models: Path, tmp_path: Path) -> None:
    folder = damaged(models, tmp_path)
    shutil.rmtree(folder / "vae")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    message = refused(folder)
    assert f"{folder / 'vae'}: is missing" in message
    assert f"{folder / 'unet'}: has no .safetensors file" in message


def test_pickled_weights_are_refused_by_name(models: Path, tmp_path: Path) -> None:
    folder = damaged(models, tmp_path)
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.rename(file.with_name("diffusion_pytorch_model.bin"))
    assert "diffusion_pytorch_model.bin can run code" in refused(folder)


def test_a_download_that_broke_off_is_noticed_before_loading(models: Path, tmp_path: Path) -> None:
    folder = damaged(models, tmp_path)
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    assert "is damaged" in refused(folder)
    file.write_bytes(b"no weights at all")
    assert "is no safetensors file" in refused(folder)


def test_another_kind_of_pipeline_is_refused_with_what_would_do(models: Path, tmp_path: Path) -> None:
    folder = damaged(models, tmp_path)
    index = folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"_class_name": "AudioLDMPipeline"}))
    message = refused(folder)
    assert "holds a AudioLDMPipeline" in message
    assert "StableDiffusionPipeline" in message


def test_weights_that_do_not_fit_their_configuration_name_the_folder(models: Path, tmp_path: Path) -> None:
    folder = damaged(models, tmp_path)
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"block_out_channels": [8, 32]}))
    with pytest.raises(InputError, match="cannot be loaded as StableDiffusionImg2ImgPipeline"):
        open_model(ModelSource(ModelSettings(model=str(folder)), folder), "cpu", seeded(1))


def test_half_precision_on_a_cpu_is_refused(models: Path) -> None:
    with pytest.raises(InputError, match="float16 runs on a GPU only"):
        opened(models, model="stable_diffusion", precision="float16")


def test_a_hub_id_that_is_not_here_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingPartError, match="not on this machine"):
        _ = ModelSource(ModelSettings(model="nobody/no-such-model"), tmp_path).weights


def test_the_key_follows_weights_and_settings_but_not_the_folder_s_name(models: Path, tmp_path: Path) -> None:
    settings = ModelSettings(model="stable_diffusion")
    here = ModelSource(settings, models)
    shutil.copytree(models / "stable_diffusion", tmp_path / "elsewhere")
    assert ModelSource(replace(settings, model="elsewhere"), tmp_path).key == here.key
    assert ModelSource(replace(settings, strength=0.5), models).key != here.key
    assert ModelSource(replace(settings, control="control_net"), models).key != here.key
    assert ModelSource(replace(settings, use="non-commercial"), models).key == here.key


# ---- settings ----------------------------------------


def read(text: str) -> tuple[ModelSettings | None, str]:
    source = parse_toml("film.toml", text)
    table = source.table.inside("film", "refine", "model")
    assert table is not None
    return model_settings(table), "\n".join(map(str, source.in_order()))


def test_every_wrong_key_of_the_table_is_named_with_its_line() -> None:
    settings, said = read(
        '[film.refine.model]\nmodle = "x"\nstrength = 1.5\nsteps = 0\n'
        'precision = "half"\ndownload = "yes"\nprompt = 3\n'
    )
    assert settings is None
    assert "film.toml:2: film.refine.model.modle: unknown key" in said
    assert 'did you mean "model"?' in said
    for line, key in enumerate(("strength", "steps", "precision", "download", "prompt"), start=3):
        assert f"film.toml:{line}: film.refine.model.{key}: must be" in said


def test_downloading_needs_a_pinned_revision() -> None:
    settings, said = read('[film.refine.model]\nmodel = "a/b"\ndownload = true\n')
    assert settings is None
    assert "revision: is missing" in said
    pinned, _ = read('[film.refine.model]\nmodel = "a/b"\ndownload = true\nrevision = "0123abc"\n')
    assert pinned == ModelSettings("a/b", download=True, revision="0123abc")


def test_a_licence_that_forbids_the_film_s_use_is_warned_of() -> None:
    forbidden = ModelSettings(model="nvidia/difix")
    assert "non-commercial use only" in (licence_warning(forbidden) or "")
    assert licence_warning(replace(forbidden, use="non-commercial")) is None
    assert licence_warning(ModelSettings(model="/models/my-own")) is None


def test_the_table_of_models_knows_them_by_id_and_by_folder() -> None:
    assert known_model("/weights/sd-turbo") is known_model("stabilityai/sd-turbo")
    assert len({row.id for row in CATALOGUE}) == len(CATALOGUE)


# ---- tiles and windows ----------------------------------------


def test_tiles_cover_a_frame_and_start_on_its_cells() -> None:
    found = tiles_of(360, 1000, 300, 8)
    covered = np.zeros((360, 1000), bool)
    for tile in found:
        assert tile.top % 8 == 0
        assert tile.left % 8 == 0
        assert tile.bottom - tile.top <= 300
        covered[tile.top : tile.bottom, tile.left : tile.right] = True
    assert covered.all()


def test_joined_tiles_of_an_unchanged_picture_are_the_picture() -> None:
    picture = torch.rand(200, 360, 3)
    joined, side = in_tiles(200, 360, 128, 8, lambda t: picture[t.top : t.bottom, t.left : t.right])
    assert side == 128
    assert (joined - picture).abs().max() < 1e-6


def test_tiles_get_smaller_when_memory_runs_out_and_then_it_is_said() -> None:
    def hungry(tile: Tile) -> Tensor:
        if (tile.bottom - tile.top) * (tile.right - tile.left) > 200 * 200:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.ones(tile.bottom - tile.top, tile.right - tile.left, 3)

    joined, side = in_tiles(512, 512, 512, 8, hungry)
    assert side == 128
    assert torch.allclose(joined, torch.ones(512, 512, 3))

    def starving(tile: Tile) -> Tensor:
        raise MemoryError

    with pytest.raises(TooLittleMemoryError, match="tiles of 128 pixels"):
        in_tiles(512, 512, 512, 8, starving)


def test_windows_begin_on_the_scene_s_clock_and_their_shares_cover_every_frame() -> None:
    whole, part = windows_of(1001, 1060, 16), windows_of(1020, 1060, 16)
    assert set(part) <= set(whole)
    for frame in range(1001, 1061):
        assert sum(share_of(frame, begin, 16) for begin in whole) > 0.5
