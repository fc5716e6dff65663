"""Our EXR files through the eyes of other programs: OpenImageIO, and the Cryptomatte of the public API."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_film import TinyFilm

pytest.importorskip("splatfilm.render._kernels", reason="the CPU kernels are not built")

from splatfilm.film import load
from splatfilm.render import render
from splatfilm.shots.schedule import RenderOptions, plan_film, render_shots
from splatfilm.stage import Stage

PASSES = '["beauty", "alpha", "depth", "depth-median", "depth-front", "normal", "position", "motion", "id"]'

CHANNELS = {
    **dict.fromkeys(["R", "G", "B", "A", "normal.X", "normal.Y", "normal.Z"], "half"),
    **dict.fromkeys(["Z", "depth_median.Z", "depth_front.Z", "position.X", "position.Y", "position.Z"], "float"),
    **dict.fromkeys(["forward.u", "forward.v", "backward.u", "backward.v"], "float"),
    **{f"crypto_object0{layer}.{channel}": "float" for layer in range(3) for channel in "RGBA"},
}
FRAME = 1010


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> TinyFilm:
    """The tiny film's frame 1010 with every pass, as ACEScg layers."""
    from tiny_film import build_tiny

    tiny = build_tiny(tmp_path_factory.mktemp("readers") / "film")
    tiny.edit('passes = ["beauty", "alpha", "depth"]', f"passes = {PASSES}")
    tiny.edit("size = [96, 54]\n", 'size = [96, 54]\nfiles = "exr"\ncolour = "acescg"\n')
    render_shots(load(tiny.path), RenderOptions(out=tiny.out, shots=("010",), frames=(FRAME,)))
    return tiny


def layers_of(film: TinyFilm) -> Path:
    return film.take("010") / f"tiny_010_layers_v001.{FRAME}.exr"


def test_openimageio_finds_every_channel_and_header_value(film: TinyFilm) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    image = oiio.ImageInput.open(str(layers_of(film)))
    assert image is not None, oiio.geterror()
    spec = image.spec()
    assert (spec.width, spec.height) == (96, 54)
    assert dict(zip(spec.channelnames, map(str, spec.channelformats), strict=True)) == CHANNELS
    said = {attribute.name: (str(attribute.type), attribute.value) for attribute in spec.extra_attribs}
    assert said["framesPerSecond"] == ("rational", (24000, 1001))
    assert said["smpte:TimeCode"][0] == "timecode"
    assert spec.get_string_attribute("smpte:TimeCode") == "01:00:00:09"
    assert said["imageCounter"] == ("int", FRAME)
    assert said["compression"][1] == "zip"
    assert said["software"][1].startswith("splatfilm ")
    assert said["colorInteropID"][1] == "lin_ap1_scene"
    assert said["chromaticities"][1] == pytest.approx((0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767))
    assert said["pinholeFocalLength"] == said["nominalFocalLength"] == ("float", 24.0)
    assert said["sensorOverallDimensions"] == ("float2", (36.0, 24.0))
    assert said["splatfilm:timecode"][1] == "01:00:00:09"
    assert all(len(said[f"splatfilm:{name}"][1]) == 64 for name in ("frame", "pixels", "picture"))
    plan = plan_film(load(film.path), RenderOptions(out=film.out, shots=("010",))).plans["010"]
    assert said["splatfilm:frame"][1] == plan.keys[FRAME]
    camera = plan.cameras[FRAME]
    matrix = np.array(said["worldToCamera"][1]).reshape(4, 4)
    assert np.array([*camera.position, 1.0]) @ matrix == pytest.approx([0, 0, 0, 1], abs=1e-5)
    assert np.array([*(camera.position + camera.forward), 1.0]) @ matrix == pytest.approx([0, 0, -1, 1], abs=1e-5)


def test_openimageio_reads_the_pixels_that_were_rendered(film: TinyFilm) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    image = oiio.ImageBuf(str(layers_of(film)))
    names = image.spec().channelnames
    pixels = image.get_pixels(oiio.FLOAT)
    loaded = load(film.path)
    plan = plan_film(loaded, RenderOptions(out=film.out, shots=("010",))).plans["010"]
    files = {(name, look): film.folder / f"{name}.ply" for name, look in (("room", "day"), ("mug", "plain"))}
    frame = render(Stage(loaded, "kitchen", files).at(FRAME).splats, plan.cameras[FRAME], backend="cpu")
    assert np.array_equal(pixels[..., names.index("Z")], frame.depth.numpy())
    assert np.array_equal(pixels[..., names.index("A")], frame.alpha.numpy().astype(np.float16).astype(np.float32))
    straight = frame.beauty.double() / frame.alpha.double().clamp_min(1e-9)[..., None]
    linear = torch.where(straight <= 0.04045, straight / 12.92, ((straight + 0.055) / 1.055) ** 2.4)
    matrix = torch.tensor(
        [[0.613097, 0.339523, 0.047379], [0.070194, 0.916354, 0.013452], [0.020616, 0.10957, 0.869815]]
    )
    expected = (linear @ matrix.double().T * frame.alpha.double()[..., None]).numpy()
    found = np.stack([pixels[..., names.index(c)] for c in "RGB"], -1)
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_openimageio_sees_the_parts_of_a_multi_part_file(film: TinyFilm) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    text = film.path.read_text()
    film.path.write_text(text.replace('files = "exr"', 'files = "exr-parts"'))
    try:
        render_shots(load(film.path), RenderOptions(out=film.out, shots=("010",), frames=(FRAME,)))
    finally:
        film.path.write_text(text)
    image = oiio.ImageInput.open(str(film.take("010", 2) / f"tiny_010_layers_v002.{FRAME}.exr"))
    parts = {}
    while image.seek_subimage(len(parts), 0):
        spec = image.spec()
        parts[spec.get_string_attribute("name")] = list(spec.channelnames)
        assert spec.getattribute("framesPerSecond") == (24000, 1001)
    assert list(parts) == ["beauty", "depth", "depth-median", "depth-front", "normal", "position", "motion", "id"]
    assert sorted(name for names in parts.values() for name in names) == sorted(CHANNELS)


def test_the_public_cryptomatte_decodes_to_the_masks_of_the_objects(film: TinyFilm) -> None:
    """Each mask is the weight that the object's splats have in the picture, rendered here in another way."""
    api = pytest.importorskip("cryptomatte_api")
    (matte,) = api.Cryptomatte.load(str(layers_of(film)))
    loaded = load(film.path)
    plan = plan_film(loaded, RenderOptions(out=film.out, shots=("010",))).plans["010"]
    files = {(name, look): film.folder / f"{name}.ply" for name, look in (("room", "day"), ("mug", "plain"))}
    staged = Stage(loaded, "kitchen", files).at(FRAME)
    for span in staged.spans:
        owned = torch.zeros(len(staged.splats), 1)
        owned[span.rows] = 1
        expected = render(staged.splats, plan.cameras[FRAME], backend="cpu", features=owned).features
        assert expected is not None
        found = np.asarray(matte.mask(span.member)).reshape(54, 96)
        assert np.abs(found - expected[..., 0].numpy()).max() < 1e-6, span.member
        assert found.max() > 0.5
