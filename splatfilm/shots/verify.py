"""Is a frame on disk still the frame that was rendered? Decodes pictures and compares their pixels with the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from splatfilm.base.errors import InputError, Problem
from splatfilm.shots.files import read_back
from splatfilm.shots.pictures import KEY_TEXT, PICTURE_TEXT
from splatfilm.shots.takes import FrameRecord, Seen, Take

DECODERS = 4  # threads; decoding releases the interpreter lock


def problems_of(folder: Path, record: FrameRecord) -> list[Problem]:
    """What is wrong with the pictures of one frame, by decoding all of them; empty when they are as recorded."""
    problems: list[Problem] = []
    for picture in record.pictures.values():
        path = folder / picture.file
        try:
            pixels, text = read_back(path)
        except InputError as error:
            problems += error.problems
            continue
        if pixels != picture.sha256:
            problems.append(Problem(str(path), "", "its pixels are not the ones that were rendered"))
        elif text.get(KEY_TEXT, record.key) != record.key or text.get(PICTURE_TEXT) != picture.key:
            problems.append(Problem(str(path), "", "it says that it is another frame than the take's records say"))
    return problems


def check_frames(folder: Path, records: Iterable[FrameRecord]) -> dict[int, list[Problem]]:
    """`problems_of` many frames, several at once: scene frame -> problems, for the frames that have any."""
    ordered = list(records)
    with ThreadPoolExecutor(DECODERS) as pool:
        found = pool.map(lambda record: problems_of(folder, record), ordered)
        return {record.frame: problems for record, problems in zip(ordered, found, strict=True) if problems}


def quick_check(take: Take, frames: Sequence[int]) -> dict[int, list[Problem]]:
    """Like `check_frames` for some frames of a take, but pictures whose size and time are as they were are believed."""
    seen = Seen(take.folder)
    doubtful = [
        take.frames[frame]
        for frame in frames
        if frame in take.frames and not all(map(seen.knows, take.frames[frame].pictures.values()))
    ]
    if not doubtful:
        return {}
    wrong = check_frames(take.folder, doubtful)
    seen.note([record for record in doubtful if record.frame not in wrong])
    return wrong
