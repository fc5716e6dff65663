"""Whole reconstructions of a small capture whose truth is known, and every way in which they can be disturbed."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from synthetic import HEIGHT, WIDTH, cameras, quick, write_capture

from splatfilm.base.errors import InputError, StorageError
from splatfilm.base.progress import Silent
from splatfilm.capture import capture_hash, read_capture
from splatfilm.reconstruct import cached, reconstruct, run
from splatfilm.reconstruct.cache import Reconstruction
from splatfilm.reconstruct.settings import Settings
from splatfilm.render import render, set_threads, threads
from splatfilm.splats import read_splats


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_capture(tmp_path_factory.mktemp("synthetic") / "ball")


@pytest.fixture(scope="module")
def unbroken(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Reconstruction:
    """The run that all disturbed ones are compared with."""
    return reconstruct(read_capture(made), quick(), tmp_path_factory.mktemp("unbroken"))


@contextlib.contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    """No file may grow beyond `limit` bytes: what a full disk feels like to the one who writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


# ---- quality ---------------------------------------------------------------------------------------------------------


def test_views_that_training_never_saw_come_out_right(unbroken: Reconstruction) -> None:
    assert [view.name for view in unbroken.heldout] == ["images/000.png", "images/008.png", "images/016.png"]
    assert unbroken.heldout_psnr is not None
    assert unbroken.heldout_psnr >= 28
    assert unbroken.train_psnr >= unbroken.heldout_psnr
    assert 250 < unbroken.count <= 600


def test_the_result_is_all_there(unbroken: Reconstruction) -> None:
    assert sorted(p.name for p in unbroken.folder.iterdir()) == ["heldout.png", "reconstruction.json", "splats.ply"]
    record = json.loads((unbroken.folder / "reconstruction.json").read_text())
    assert record["heldout_psnr"] == pytest.approx(unbroken.heldout_psnr, abs=1e-3)
    assert record["renderer"]["name"] == "cpu"
    assert record["settings"]["steps"] == 700
    splats = read_splats(unbroken.splats)
    assert (len(splats), splats.mode, splats.sh_degree) == (unbroken.count, "antialiased", 1)
    assert Image.open(unbroken.folder / "heldout.png").size == (3 * WIDTH, 3 * HEIGHT)


def test_a_capture_without_points_starts_from_nothing(tmp_path: Path) -> None:
    capture = read_capture(write_capture(tmp_path / "bare", points=False))
    result = reconstruct(capture, quick(900), tmp_path / "out")
    assert result.heldout_psnr is not None
    assert result.heldout_psnr >= 22


def test_an_object_with_a_matte_comes_out_with_empty_space_around_it(tmp_path: Path) -> None:
    capture = read_capture(write_capture(tmp_path / "object", matte=True))
    result = reconstruct(capture, quick(600), tmp_path / "out")
    assert result.heldout_psnr is not None
    assert result.heldout_psnr >= 26
    camera = cameras(9)[8]  # a held-out view
    alpha = render(read_splats(result.splats), camera, backend="cpu").alpha.numpy()
    matte = np.asarray(Image.open(tmp_path / "object" / "images" / "008.png"))[..., 3] / 255
    assert alpha[matte < 0.004].mean() < 0.01
    assert alpha[matte > 0.99].mean() > 0.97


def test_what_a_mask_hides_does_no_harm(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "masked"
    shutil.copytree(made, folder)
    (folder / "masks").mkdir()
    document = json.loads((folder / "transforms.json").read_text())
    for index, frame in enumerate(document["frames"]):
        path = folder / frame["file_path"]
        picture, mask = np.array(Image.open(path)), np.full((HEIGHT, WIDTH), 255, np.uint8)
        if index % 8:  # held-out views stay whole, so that they tell
            picture[20:44, 30:60] = (255, 0, 255)
            mask[20:44, 30:60] = 0
        Image.fromarray(picture).save(path)
        frame["mask_path"] = f"masks/{index:03}.png"
        Image.fromarray(mask).save(folder / frame["mask_path"])
    (folder / "transforms.json").write_text(json.dumps(document))
    result = reconstruct(read_capture(folder), quick(), tmp_path / "out")
    assert result.heldout_psnr is not None
    assert result.heldout_psnr >= 22


def test_gains_even_out_exposure_that_wandered(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "wandered"
    shutil.copytree(made, folder)
    for index, path in enumerate(sorted((folder / "images").iterdir())):
        if index % 8:
            picture = np.asarray(Image.open(path)).astype(float) * (0.8 if index % 2 else 1.0)
            Image.fromarray(picture.round().astype(np.uint8)).save(path)
    plain, evened = (
        reconstruct(read_capture(folder), quick(500, gains=gains, rates=run_rates(gains=0.01)), tmp_path / "out")
        for gains in (False, True)
    )
    assert evened.train_psnr > plain.train_psnr + 1


def run_rates(**changes: float) -> object:
    import dataclasses

    from splatfilm.reconstruct import Rates

    return dataclasses.replace(Rates(), **changes)


# ---- the cache -------------------------------------------------------------------------------------------------------


def test_a_second_call_finds_the_first_ones_result(made: Path, unbroken: Reconstruction) -> None:
    again = reconstruct(read_capture(made), quick(), unbroken.folder.parent)
    assert again.from_cache
    assert again.splats_hash == unbroken.splats_hash
    assert cached(capture_hash(made), quick(), unbroken.folder.parent) is not None


def test_other_settings_or_another_photograph_are_another_result(made: Path, unbroken: Reconstruction) -> None:
    folder = unbroken.folder.parent
    assert cached(capture_hash(made), quick(701), folder) is None
    assert cached("0" * 64, quick(), folder) is None


@pytest.mark.parametrize("damage", ["splats", "record", "no splats"])
def test_a_damaged_result_is_not_used(made: Path, unbroken: Reconstruction, tmp_path: Path, damage: str) -> None:
    shutil.copytree(unbroken.folder.parent, tmp_path / "out")
    place = tmp_path / "out" / unbroken.folder.name
    if damage == "splats":
        data = bytearray((place / "splats.ply").read_bytes())
        data[-3] ^= 1
        (place / "splats.ply").write_bytes(bytes(data))
    elif damage == "record":
        (place / "reconstruction.json").write_text('{"format": ')
    else:
        (place / "splats.ply").unlink()
    assert cached(capture_hash(made), quick(), tmp_path / "out") is None


def test_finding_a_result_imports_no_torch(made: Path, unbroken: Reconstruction, repository: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from splatfilm.capture import capture_hash, read_capture\n"
        "from splatfilm.reconstruct import cached, settings_for\n"
        f"capture_hash(read_capture({str(made)!r}))\n"
        f"cached('0' * 64, settings_for('draft'), Path({str(unbroken.folder.parent)!r}))\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# ---- the same bits, whatever happens ---------------------------------------------------------------------------------


def test_one_thread_and_two_give_the_same_splats(made: Path, unbroken: Reconstruction, tmp_path: Path) -> None:
    before = threads()
    try:
        set_threads(1 if before > 1 else 2)
        torch.set_num_threads(3)
        other = reconstruct(read_capture(made), quick(), tmp_path)
    finally:
        set_threads(before)
    assert other.splats_hash == unbroken.splats_hash


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from synthetic import quick
from splatfilm.capture import read_capture
from splatfilm.reconstruct import run
run.CHECKPOINT_SECONDS = 0.1
run.reconstruct(read_capture(sys.argv[1]), quick(), Path(sys.argv[2]))
"""


def run_and_kill(made: Path, out: Path, repository: Path, delay: float) -> bool:
    """Train in a process of its own and kill it some time after it began to write; False when it was done before."""
    arguments = [sys.executable, "-c", CHILD, str(made), str(out), str(Path(__file__).parent)]
    child = subprocess.Popen(arguments, cwd=repository)
    known = set(out.rglob("*.checkpoint"))
    while child.poll() is None and not set(out.rglob("*.checkpoint")) - known:
        time.sleep(0.01)
    time.sleep(delay)
    child.send_signal(signal.SIGKILL)
    return child.wait() == -signal.SIGKILL


def test_a_killed_training_goes_on_and_ends_with_the_same_bits(
    made: Path, unbroken: Reconstruction, tmp_path: Path, repository: Path
) -> None:
    assert run_and_kill(made, tmp_path, repository, delay=0.15)
    newest = sorted(tmp_path.rglob("*.checkpoint"))[-1]
    assert 0 < int(newest.name[5:13]) < 700
    result = reconstruct(read_capture(made), quick(), tmp_path)
    assert result.splats_hash == unbroken.splats_hash
    assert any(note.startswith("goes on at step") for note in result.notes)
    assert sorted(p.name for p in result.folder.iterdir()) == ["heldout.png", "reconstruction.json", "splats.ply"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_kills_at_random_moments_change_nothing(
    made: Path, unbroken: Reconstruction, tmp_path: Path, repository: Path
) -> None:
    moments, kills = random.Random(time.time_ns()), 0
    for round_ in range(10):
        out = tmp_path / str(round_)
        kills += run_and_kill(made, out, repository, delay=moments.uniform(0, 0.6))
        kills += run_and_kill(made, out, repository, delay=moments.uniform(0, 0.3))
        assert reconstruct(read_capture(made), quick(), out).splats_hash == unbroken.splats_hash
    assert kills >= 10


class Disturbed(Silent):
    """A progress that does something to the training at a step."""

    def __init__(self, step: int, what: object) -> None:
        self.step, self.what = step, what

    def advance(self, done: int, note: str = "") -> None:
        if done == self.step and "splats" in note:
            self.what()  # type: ignore[operator]


class StoppedError(Exception):
    pass


def stop() -> None:
    raise StoppedError


def test_a_damaged_checkpoint_is_passed_over_and_the_one_before_used(
    made: Path, unbroken: Reconstruction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(run, "CHECKPOINT_SECONDS", 0.0)
        reconstruct(read_capture(made), quick(), tmp_path, Disturbed(50, stop))
    last = sorted(tmp_path.rglob("*.checkpoint"))[-1]
    last.write_bytes(last.read_bytes()[:-1000])
    result = reconstruct(read_capture(made), quick(), tmp_path)
    assert f"{last.name} is damaged; it is passed over" in result.notes
    assert result.splats_hash == unbroken.splats_hash


def test_a_disk_that_fills_up_stops_training_and_keeps_the_last_checkpoint(
    made: Path, unbroken: Reconstruction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr(run, "CHECKPOINT_SECONDS", 0.0)
        full = Disturbed(50, lambda: stack.enter_context(file_size_limit(20_000)))
        with pytest.raises(StorageError, match=r"step-00000050\.checkpoint: cannot write"):
            reconstruct(read_capture(made), quick(), tmp_path, full)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file())[-1] == "step-00000049.checkpoint"
    result = reconstruct(read_capture(made), quick(), tmp_path)
    assert "goes on at step 49 of 700" in result.notes
    assert result.splats_hash == unbroken.splats_hash


def test_a_disk_that_fills_up_at_the_end_leaves_no_half_result(made: Path, tmp_path: Path) -> None:
    settings = quick(60)
    with contextlib.ExitStack() as stack:
        full = Disturbed(60, lambda: stack.enter_context(file_size_limit(10_000)))
        with pytest.raises(StorageError, match=r"splats\.ply: cannot write"):
            reconstruct(read_capture(made), settings, tmp_path, full)
    assert not list(tmp_path.rglob("splats.ply"))
    assert cached(capture_hash(made), settings, tmp_path) is None


# ---- bad input -------------------------------------------------------------------------------------------------------


def broken(made: Path, folder: Path, settings: Settings | None = None) -> str:
    with pytest.raises(InputError) as caught:
        reconstruct(read_capture(folder), settings or quick(20), folder.parent / "out")
    return str(caught.value)


def test_truncated_photographs_are_all_named(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(made, folder)
    for index in (3, 7):
        path = folder / "images" / f"{index:03}.png"
        path.write_bytes(path.read_bytes()[:600])
    message = broken(made, folder)
    assert "003.png" in message
    assert "007.png" in message
    assert "truncated" in message


def test_a_mask_of_another_size_is_refused(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mask"
    shutil.copytree(made, folder)
    Image.fromarray(np.full((HEIGHT, WIDTH // 2), 255, np.uint8)).save(folder / "mask.png")
    document = json.loads((folder / "transforms.json").read_text())
    for frame in document["frames"]:
        frame["mask_path"] = "mask.png"
    (folder / "transforms.json").write_text(json.dumps(document))
    assert "mask.png: is 48x64 pixels, but its photograph images/000.png is 96x64" in broken(made, folder)


# ---- real photographs ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_real_photographs_come_out_recognisable(shared_data: Path, tmp_path: Path) -> None:
    settings = quick(1500, 20_000, longest=240)
    result = reconstruct(read_capture(shared_data / "fox"), settings, tmp_path)
    assert len(result.heldout) == 7
    assert result.heldout_psnr is not None
    assert result.heldout_psnr > 23
    assert result.splats.stat().st_size > 1_000_000
