"""Checkpoints: whole or noticed, and the one before is always there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.errors import StorageError
from splatfilm.reconstruct import checkpoint
from splatfilm.reconstruct.checkpoint import Checkpoint


def state(step: int) -> Checkpoint:
    rows = np.arange(12, dtype=np.float32).reshape(4, 3) + step
    return Checkpoint(step, {"means": rows, "empty": np.zeros((4, 0, 3), np.float32)}, {"seconds": 1.5})


def test_a_checkpoint_comes_back_to_the_bit(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "key", state(7))
    found, notes = checkpoint.newest(tmp_path, "key")
    assert found is not None
    assert notes == ()
    assert (found.step, found.values) == (7, {"seconds": 1.5})
    assert np.array_equal(found.arrays["means"], state(7).arrays["means"])
    assert found.arrays["empty"].shape == (4, 0, 3)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        checkpoint.save(tmp_path, "key", state(step))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000002.checkpoint", "step-00000003.checkpoint"]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_checkpoint_is_noticed_and_the_one_before_used(tmp_path: Path, damage: str) -> None:
    checkpoint.save(tmp_path, "key", state(1))
    path = checkpoint.save(tmp_path, "key", state(2))
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[-50] ^= 1
    path.write_bytes({"flip": bytes(data), "cut": bytes(data[: len(data) // 2]), "empty": b""}[damage])
    found, notes = checkpoint.newest(tmp_path, "key")
    assert found is not None
    assert found.step == 1
    assert notes == ("step-00000002.checkpoint is damaged; it is passed over",)


def test_a_checkpoint_of_another_training_is_not_used(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "one", state(1))
    assert checkpoint.newest(tmp_path, "another")[0] is None


def test_an_empty_folder_has_no_checkpoint(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path / "nothing", "key") == (None, ())


def test_a_full_disk_is_told_and_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    import signal

    checkpoint.save(tmp_path, "key", state(1))
    large = Checkpoint(2, {"means": np.zeros((1_000_000, 3), np.float32)}, {})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
        with pytest.raises(StorageError, match="step-00000002"):
            checkpoint.save(tmp_path, "key", large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000001.checkpoint"]
    found, _ = checkpoint.newest(tmp_path, "key")
    assert found is not None
    assert found.step == 1
