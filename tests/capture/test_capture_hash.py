"""The content hash of a capture: what moves it, what does not, and how it stays fast without ever being wrong."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from capture_makers import change, write_nerfstudio
from PIL import Image

from splatfilm.capture import capture_hash, hashing

OLD = 1_600_000_000


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return write_nerfstudio(tmp_path / "cap", 6)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file whose content is read for hashing."""
    found: list[Path] = []
    read = hashing.hash_file

    def noted(path: Path) -> str:
        found.append(Path(path))
        return read(path)

    monkeypatch.setattr(hashing, "hash_file", noted)
    return found


def later(monkeypatch: pytest.MonkeyPatch, seconds: float = 10) -> None:
    """As if some time had passed since the files were written."""
    now = time.time_ns
    monkeypatch.setattr(hashing.time, "time_ns", lambda: now() + int(seconds * 1e9))


def test_a_copy_elsewhere_has_the_same_hash(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "else" / "where")
    assert capture_hash(made) == capture_hash(tmp_path / "else" / "where")


def test_files_that_do_not_go_into_training_do_not_count(made: Path) -> None:
    before = capture_hash(made)
    (made / "README.md").write_text("words")
    (made / "images" / "unlisted.png").write_bytes(b"junk")
    (made / "capture.toml").write_text('author = "somebody"\n')
    assert capture_hash(made) == before


@pytest.mark.parametrize("what", ["photograph", "pose", "scale", "photograph gone"])
def test_everything_that_goes_into_training_counts(made: Path, what: str) -> None:
    before = capture_hash(made)
    if what == "photograph":
        Image.fromarray(np.full((32, 48, 3), 99, np.uint8)).save(made / "images" / "003.png")
    elif what == "pose":
        change(made, fl_x=41.0)
    elif what == "scale":
        (made / "capture.toml").write_text("scale = 2.0\n")
    else:
        (made / "images" / "003.png").unlink()
    assert capture_hash(made) != before


def test_unchanged_files_are_not_read_again(
    made: Path, tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch)
    memo = tmp_path / "memo.json"
    first = capture_hash(made, memo)
    assert len(reads) == 7
    assert capture_hash(made, memo) == first
    assert len(reads) == 7


def test_a_changed_file_is_read_again_even_when_its_size_and_date_are_put_back(
    made: Path, tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch)
    memo, path = tmp_path / "memo.json", made / "images" / "003.png"
    before = path.stat()
    first = capture_hash(made, memo)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1  # in the checksum of the last chunk: same size, still a listed picture
    path.write_bytes(bytes(data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert capture_hash(made, memo) != first
    assert reads[7:] == [path]


def test_what_was_written_a_moment_ago_is_not_trusted(made: Path, tmp_path: Path, reads: list[Path]) -> None:
    memo = tmp_path / "memo.json"
    capture_hash(made, memo)
    capture_hash(made, memo)
    assert len(reads) == 14


@pytest.mark.parametrize("content", ["", "{", '{"format": "other"}', '{"format": "splatfilm-hashes", "version": 1}'])
def test_a_damaged_memo_costs_time_and_nothing_else(
    made: Path, tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch)
    memo = tmp_path / "memo.json"
    memo.write_text(content)
    assert capture_hash(made, memo) == capture_hash(made)


def test_a_memo_that_cannot_be_written_is_no_error(made: Path) -> None:
    assert capture_hash(made, Path("/dev/full/memo.json")) == capture_hash(made)
