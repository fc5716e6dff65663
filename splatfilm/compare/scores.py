"""What a comparison finds, as frozen data: numbers that never stand alone.

A value without what perfect would be (its ceiling) and what nothing would be (its null) misleads, so a `Score` carries
both, what it is counted in, which way is better, and the sentence to print when there is no value. Scores of a shot, of
a pair of shots and of a whole method nest; `plain` turns any of them into JSON's own types and `rows_of` into a table.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

SCHEMA = "splatfilm.continuity/1"

Better = Literal["higher", "lower", "neither"]
PairKind = Literal["follow-up", "revisit", "edit", "determinism"]
GuardName = Literal["DETAIL", "MOTION", "COPY", "RANGE"]


@dataclass(frozen=True)
class Score:
    """One number: `value` None means that it could not be measured, and `note` says why.

    Decibels may be infinite (pictures equal to the bit). `ceiling` is what our own frames reach on the same frames,
    `null` what an unrelated picture gets. `per_frame` holds (index of the frame in its shot, value), for plots.
    """

    name: str
    value: float | None
    unit: str  # "dB", "deg", "m", "%", "dE00", "share", "ratio", "levels", "MSE" or "" for a score of 0..1
    better: Better = "higher"
    ceiling: float | None = None
    null: float | None = None
    per_frame: tuple[tuple[int, float], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Guard:
    """One check that a score means something; where it fails, the score is blocked and `reason` is printed instead."""

    name: GuardName
    passed: bool
    value: float | None
    allowed: str  # as people read it: "0.5 to 1.5 of ours"
    reason: str = ""  # empty when it passed
    per_frame: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class ObjectScore:
    """One object's share of a follow-up: like PHO, over the pixels where both shots see that object."""

    object: str
    value: float | None  # 0..1; None below the number of pixels that can be judged, or where the null is no worse
    psnr: float | None  # dB, A warped into B
    ceiling: float | None  # dB
    null: float | None  # dB
    pixels: int  # co-visible in all pairs together
    worst_frames: tuple[int, int] | None = None  # (index in A, index in B) of the pair where it fits worst


@dataclass(frozen=True)
class LocatedFrame:
    """Where a clip's frame was really taken from, found in our scene. `pose` None: it could not be found.

    `pose` is camera-to-world as sixteen numbers, row by row, OpenCV axes, metres.
    """

    index: int
    inliers: int
    pose: tuple[float, ...] | None
    rotation: float | None  # degrees away from the prescribed camera
    translation: float | None  # metres away from the prescribed camera


@dataclass(frozen=True)
class CameraFollowing:
    """How well a clip's camera kept to the shot's (section "Camera" of docs/compare.md)."""

    located: Score  # LOC, share of the frames looked at
    rotation: Score  # ROT, degrees, median
    translation: Score  # TRA, metres, median
    translation_share: Score  # TRA in percent of the shot's travel; no value for a camera that stands still
    frames: tuple[LocatedFrame, ...] = ()


@dataclass(frozen=True)
class Stability:
    """How a clip holds together from one frame to the next, within one shot."""

    flow_error: Score  # FWE, mean squared difference after optical flow; ceiling: ours on the same path
    flow_ratio: Score  # FWE / ours
    coverage: Score  # share of pixels that counted
    motion: Score  # mean flow, pixels a frame; ceiling: ours
    depth_error: Score  # DWE, the same after our depth, where the camera is known
    flicker: Score  # FLK, 8-bit levels


@dataclass(frozen=True)
class Continuity:
    """A follow-up shot's continuity: the vector, and FSC from it unless a guard blocks it.

    `score` None: see `blocked` (a guard's reason) or `not_comparable` (no pair of frames sees enough of the same).
    """

    score: Score  # FSC
    pho: Score  # 0..1; pixels
    col: Score  # 0..1; colour
    epi: Score  # 0..1; details on their epipolar lines; value None where the set has too little texture
    psnr: Score  # dB behind PHO
    colour: Score  # dE00 behind COL
    objects: tuple[ObjectScore, ...] = ()
    worst: ObjectScore | None = None
    worst_frames: tuple[int, int] | None = None  # (index in A, index in B) of the pair of frames that fits worst
    pairs: tuple[tuple[int, int], ...] = ()
    cameras: Literal["prescribed", "recovered"] = "prescribed"
    masked: Score = Score("MASKED", None, "share", "neither")  # share of B's pixels that could not be compared
    guards: tuple[Guard, ...] = ()
    blocked: str = ""
    not_comparable: str = ""

    @property
    def unguarded(self) -> float | None:
        """The geometric mean of the terms there are, whatever the guards say: for plots, never for a table."""
        terms = [term.value for term in (self.pho, self.col, self.epi) if term.value is not None]
        if self.not_comparable or self.pho.value is None or self.col.value is None:
            return None
        return math.prod(terms) ** (1 / len(terms))


@dataclass(frozen=True)
class Revisit:
    """The same camera at the same story time, twice."""

    psnr: Score  # REV_PSNR, median over pairs, infinite when exact
    ssim: Score  # REV_SSIM
    colour: Score  # REV_dE
    exact: int  # pairs of frames equal to the bit
    pairs: tuple[tuple[int, int], ...]
    success: Score = Score("REV_SUCCESS", None, "share", note="cameras were not recovered")


@dataclass(frozen=True)
class Joint:
    """Two shots of one method by their own pictures alone: is it one place? For methods that never saw our scene."""

    registered: Score  # JRR, share of B's frames that stand in the place that A's frames make
    colour: Score  # TRK_dE, dE00 at the points that both shots see


@dataclass(frozen=True)
class OwnCamera:
    """The camera's way in a clip by the clip alone, where our scene cannot be recognised in it."""

    registered: Score  # REG, share of frames
    rotation: Score  # ROT_REL, degrees, median, from the first frame on
    translation: Score  # TRA_REL, percent of the way, median, at the best scale


@dataclass(frozen=True)
class Edit:
    """What an edit changed, inside and outside of the edited object."""

    outside: Score  # OUT, share of pixels outside the object that changed
    outside_mean: Score  # OUT_MEAN, levels
    inside: Score  # IN, share of the object's pixels that changed
    object: str
    note: str = ""  # why the edit counts as none


@dataclass(frozen=True)
class Determinism:
    """Two runs of the same thing."""

    share: Score  # DET, share of frames equal to the bit
    largest: Score  # the largest difference, 8-bit levels


@dataclass(frozen=True)
class ShotScores:
    """What was measured of one take of one shot by itself."""

    shot: str
    take: int | None
    frames: int  # compared
    following: CameraFollowing | None = None
    stability: Stability | None = None
    guards: tuple[Guard, ...] = ()
    agreement: tuple[Score, ...] = ()  # PSNR, SSIM and dE00 to our own frames of the same shot
    imported: tuple[Score, ...] = ()  # learned metrics from other tools' files, named with version and weights
    own_camera: OwnCamera | None = None


@dataclass(frozen=True)
class PairScores:
    """What was measured between two shots (of one take each). `note` says why there is nothing."""

    kind: PairKind
    a: str
    b: str
    take: int | None = None
    continuity: Continuity | None = None
    revisit: Revisit | None = None
    edit: Edit | None = None
    determinism: Determinism | None = None
    note: str = ""
    joint: Joint | None = None


@dataclass(frozen=True)
class MethodScores:
    """Everything measured of one method: our film, a trivial row, or a baseline."""

    method: str
    title: str
    given: str  # class of information, "I0" to "I5", or "ours"
    shots: tuple[ShotScores, ...] = ()
    pairs: tuple[PairScores, ...] = ()
    notes: tuple[str, ...] = ()


def plain(value: Any) -> Any:
    """`value` in JSON's own types: dataclasses as objects, tuples as lists, infinity as "inf", NaN refused."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, str | int):
        return value
    number = float(value)
    if math.isnan(number):
        raise ValueError("a score is not a number: measure functions give None and a note instead")
    return number if math.isfinite(number) else ("inf" if number > 0 else "-inf")


COLUMNS = ("method", "given", "kind", "a", "b", "take", "object", "name", "value", "unit", "ceiling", "null", "note")
"""The columns of `rows_of`."""


def rows_of(method: MethodScores) -> Iterator[dict[str, Any]]:
    """One row a number, under `COLUMNS`; what is not there is None, infinity is "inf"."""
    head = {"method": method.method, "given": method.given}
    for shot in method.shots:
        where = {**head, "kind": "shot", "a": shot.shot, "b": None, "take": shot.take}
        parts = (shot.following, shot.own_camera, shot.stability)
        scores = [*(score for part in parts for score in scores_in(part)), *shot.agreement, *shot.imported]
        yield from _rows(where, scores, shot.guards)
    for pair in method.pairs:
        where = {**head, "kind": pair.kind, "a": pair.a, "b": pair.b, "take": pair.take}
        for part in (pair.continuity, pair.joint, pair.revisit, pair.edit, pair.determinism):
            yield from _rows(where, scores_in(part), part.guards if isinstance(part, Continuity) else ())
        if pair.continuity is not None:
            for item in pair.continuity.objects:
                score = Score("OBJ", item.value, "", ceiling=1.0, null=0.0, note=f"{item.pixels} px")
                yield _row({**where, "object": item.object}, score)


def scores_in(part: object) -> Sequence[Score]:
    """The scores that are fields of a dataclass, in the order of its fields; none of None."""
    if part is None or not dataclasses.is_dataclass(part):
        return ()
    values = (getattr(part, field.name) for field in dataclasses.fields(part))
    return tuple(value for value in values if isinstance(value, Score))


def _rows(where: Mapping[str, Any], scores: Sequence[Score], guards: Sequence[Guard]) -> Iterator[dict[str, Any]]:
    for score in scores:
        yield _row(where, score)
    for guard in guards:
        note = guard.reason or "passed"
        yield _row(where, Score(f"GUARD_{guard.name}", guard.value, "", "neither", note=f"{note} ({guard.allowed})"))


def _row(where: Mapping[str, Any], score: Score) -> dict[str, Any]:
    row = {**dict.fromkeys(COLUMNS), **where, "name": score.name, "unit": score.unit, "note": score.note}
    return row | {"value": plain(score.value), "ceiling": plain(score.ceiling), "null": plain(score.null)}
