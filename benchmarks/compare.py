"""Claim: continuity takes seconds a cut and the memory of a few frames, and finds cameras to hundredths of a degree.

The bedroom of the tests, known to the last pixel, at 640x360: what a pair of frames costs, once for the scene and once
for every method; what finding a camera costs and errs by; and how the peak of memory grows with a clip's length.
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from benchmarks.report import Row, main

SIZE = (640, 360)
PAIRS = 4
SHORT, LONG = 12, 96  # frames


def measure() -> list[Row]:
    """Seconds a pair, a camera and a step; the camera's error; bytes of a long clip against a short one's."""
    from splatfilm.compare.following import follow_camera
    from splatfilm.compare.followup import Take, lay_ground, measure_follow_up
    from splatfilm.compare.motion import measure_motion
    from splatfilm.compare.overlap import Seer
    from tests.compare.bedroom import Bedroom, clip_of, dolly, second_angle, shot, turned

    cameras = second_angle(4, SIZE)
    a, b = shot("A", dolly(4, SIZE)), shot("B", cameras)
    yawed = clip_of(Bedroom(), [turned(camera, 5) for camera in cameras])
    for index in range(4):  # casting rays is no part of what is measured
        _ = a.views[index], b.views[index], yawed.frames[index]
    ground, laying = _timed(lambda: lay_ground(Seer(a), Seer(b), most=PAIRS))
    takes = Take(a.clip(), a), Take(b.clip(), b)
    true, following_up = _timed(lambda: measure_follow_up(*takes, ground=ground, most=PAIRS))
    found, finding = _timed(lambda: follow_camera(yawed, b))
    _, moving = _timed(lambda: measure_motion(b.clip().frames))
    turns = [abs(frame.rotation - 5) for frame in found.frames if frame.rotation is not None]
    shifts = [frame.translation for frame in found.frames if frame.translation is not None]
    assert true.score.value == 1.0 and len(turns) == len(cameras)
    short, long = (_peak(length) for length in (SHORT, LONG))
    return [
        Row("compare/ground", laying / len(ground.pairs), "s a pair"),
        Row("compare/follow-up", following_up / len(ground.pairs), "s a pair", 2.0),
        Row("compare/camera", finding / len(cameras), "s a frame"),
        Row("compare/motion", moving / 3, "s a step"),
        Row("compare/camera-error", max(turns), "deg", 0.05),
        Row("compare/camera-offset", 1000 * max(shifts), "mm", 6.0),
        Row("compare/peak-memory", long / 2**20, "MiB"),
        Row(f"compare/memory-of-{LONG}-frames-over-{SHORT}", long / short, "times", 1.1),
    ]


def _timed(work):  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _peak(length: int) -> int:
    """The most bytes that Python and numpy hold while a clip of so many frames is measured."""
    from splatfilm.compare.measure import Depth, MethodClips, measure_method
    from splatfilm.compare.views import Clip, Lazy, ShotTruth, View
    from tests.compare.bedroom import OBJECTS, Bedroom, look_at

    camera = look_at((-0.5, -2.0, 1.4), (0.0, 1.0, 0.5), (320, 180))
    still = Bedroom().look(camera)

    def rolled(index: int) -> np.ndarray:
        return np.roll(still.picture, index, axis=1)

    views = Lazy(length, lambda i: View(rolled(i), still.depth, still.ids, camera))
    truth = ShotTruth("pan", "bedroom", tuple(range(length)), (camera,) * length, OBJECTS, views)
    clip = Clip(Lazy(length, rolled))
    tracemalloc.start()
    measure_method(MethodClips("ours", "Ours", "ours", {("pan", 1): clip}), {"pan": truth}, [], Depth(follow=False))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    main(__doc__ or "", measure)
