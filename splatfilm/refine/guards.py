"""What holds a refined frame to the bare one, and measures whether it did.

Two things are done to every change, whatever made it: what is broader than the lock's blur is taken out again, so that
grading and identity stay with the capture, and no value moves by more than the bound. Then four things are measured,
against what the bare frames do: broad colour, edges, and how well neighbouring frames and other shots of the same
moment agree where they see the same place. A shot that fails is refined again with less strength, as a whole: a frame
that alone was weaker would flicker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from splatfilm.refine.contract import BareFrame
from splatfilm.refine.filters import blurred, luma, reach_of
from splatfilm.refine.pixels import directions
from splatfilm.render.rays import pixels_of

GUARDS_VERSION = 1

STRENGTHS = (1.0, 0.75, 0.5, 0.25, 0.0)
"""What a shot's strength is multiplied by, in turn, until its guards hold; 0 keeps the bare picture, but for grain."""

COLOUR_QUANTILE = 0.99
EDGE_QUANTILE = 0.95  # of gradients: stronger ones are edges
EDGE_WINDOW = 9  # px
EDGE_SHIFT = 2  # px, as far as is searched
_LEAST_GRADIENT = 1e-6  # squared, a pixel: less is no edge
_SAME_PLACE = 3.0  # footprints: nearer points at rest are one place
_LEAST_SEEN = 0.01  # of a picture: with less in common two views say nothing


@dataclass(frozen=True)
class Limits:
    """What a refined shot may do at most."""

    colour: float = 2.5 / 255  # of the 99th percentile of broad change
    edges: float = 0.03  # part of the edge pixels that moved by a pixel or more
    warp: float = 2e-3  # more disagreement of two views than the bare ones have
    warp_part: float = 0.3  # or this part of theirs, where that is more
    bound: float = 1.0  # of single values; the look's own bound is set beside it


@dataclass(frozen=True)
class FrameMeasures:
    """One frame against its bare self."""

    largest: float  # the greatest change of a value
    colour: float  # 99th percentile of broad change
    edges: float  # part of the edge pixels that moved


@dataclass(frozen=True)
class PairMeasures:
    """Two views of one place: mean absolute difference where both see it, as drawn and as refined."""

    what: str  # "next frame", or the other shot's name
    bare: float
    refined: float
    seen: float  # part of the picture that both see


@dataclass(frozen=True)
class Verdict:
    """Whether a shot held, and the sentences that say why not."""

    holds: bool
    failures: tuple[str, ...]
    worst: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def held(bare: Tensor, refined: Tensor, bound: float, lock: float, strength: float) -> Tensor:  # [H, W, 3]
    """The refined picture with its broad changes taken out, bounded, and mixed in by `strength`.

    `lock` is the blur's deviation in pixels. Where the change is none the bare values come back to the bit.
    """
    if strength == 0:
        return bare
    change = refined - bare
    if lock > 0:
        change = change - blurred(change, lock)
    change = (change * strength).clamp(-bound, bound)
    return torch.where(change == 0, bare, bare + change)


def lock_pixels(lock_at_640: float, width: int) -> float:
    """The lock's blur in pixels of a picture of this width: the same part of the picture at any size."""
    return lock_at_640 * width / 640


def reach(lock: float) -> int:
    """How far the lock carries an edit, in pixels."""
    return reach_of(lock) if lock > 0 else 0


# ---- measuring -------------------------------------------------------------------------------------------------------


def measure_frame(bare: Tensor, refined: Tensor, lock: float) -> FrameMeasures:
    """How far a refined picture is from its bare one, before grain."""
    change = refined - bare
    broad = blurred(change, max(lock, 1.0)).abs().amax(-1)
    colour = float(_quantile(broad, COLOUR_QUANTILE))
    return FrameMeasures(float(change.abs().max()), colour, moved_edges(luma(bare), luma(refined)))


def moved_edges(bare: Tensor, refined: Tensor) -> float:  # [H, W] luma
    """The part of the edge pixels about which the edges fit better a pixel or more away from where they were.

    Edge pixels are the crests of strong gradients. Gradients are compared by normalised correlation in a window about
    each crest, so edges that became steeper have not moved.
    """
    here, there = _gradients(bare), _gradients(refined)
    size = here.square().sum(0)
    strong = size > max(float(_quantile(size, EDGE_QUANTILE)), _LEAST_GRADIENT)
    crest = strong & (size == nn.functional.max_pool2d(size[None], 2 * EDGE_SHIFT + 1, 1, EDGE_SHIFT)[0])
    margin = EDGE_SHIFT + EDGE_WINDOW // 2
    inner = torch.zeros_like(crest)
    inner[margin:-margin, margin:-margin] = True
    crest &= inner
    count = int(crest.sum())
    if count == 0:
        return 0.0
    scores = []
    steps = [(y, x) for y in range(-EDGE_SHIFT, EDGE_SHIFT + 1) for x in range(-EDGE_SHIFT, EDGE_SHIFT + 1)]
    for y, x in steps:
        other = torch.roll(there, (-y, -x), (1, 2))
        both, own = _window_means((here * other).sum(0)), _window_means(other.square().sum(0))
        scores.append(both[crest] / own[crest].clamp_min(1e-12).sqrt())
    score = torch.stack(scores)
    moved = score.amax(0) > score[steps.index((0, 0))] * 1.02  # ties and rounding are no motion
    return float(moved.sum()) / count


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Which pixels of one view another view sees: where, and whether."""

    at: Tensor  # [H, W, 2] pixels of the other view, x and y of centres at 0.5
    seen: Tensor  # [H, W] bool


def correspondence(here: BareFrame, there: BareFrame) -> Correspondence:
    """Where the other view sees this one's surfaces, by depth; only where it is the same place of the same thing."""
    camera = there.camera
    pose = torch.from_numpy(camera.world_to_camera()[:3]).double()
    world = _world(here).double()
    x, y, z = (
        ((pose[i, 0] * world[..., 0] + pose[i, 1] * world[..., 1]) + pose[i, 2] * world[..., 2]) + pose[i, 3]
        for i in range(3)
    )
    ahead = z > 1e-3
    safe = torch.where(ahead, z, torch.ones_like(z))
    u, v = pixels_of(camera, (x / safe).numpy(), (y / safe).numpy())
    at = torch.stack([torch.from_numpy(u), torch.from_numpy(v)], -1)
    column, row = at[..., 0].floor().long(), at[..., 1].floor().long()
    inside = ahead & (column >= 1) & (column < camera.width - 1) & (row >= 1) & (row < camera.height - 1)
    index = row.clamp(0, camera.height - 1), column.clamp(0, camera.width - 1)
    near = (there.canonical.cpu()[index] - here.canonical.cpu()).norm(dim=-1)
    footprint = torch.maximum(here.depth.cpu() / here.camera.fx, there.depth.cpu()[index] / camera.fx)
    alike = _owner_names(here)[..., None] == _owner_names(there)[index][..., None]
    seen = inside & (here.owner.cpu() >= 0) & alike[..., 0] & (near < _SAME_PLACE * footprint)
    return Correspondence(at, seen)


def warp_difference(here: Tensor, there: Tensor, where: Correspondence) -> tuple[float, float]:
    """Mean absolute difference of two pictures where they see the same, and what part of the first one that is.

    The other picture is read bilinearly.
    """
    seen = where.seen
    part = float(seen.float().mean())
    if part < _LEAST_SEEN:
        return 0.0, part
    height, width = there.shape[:2]
    grid = torch.stack([where.at[..., 0] / width * 2 - 1, where.at[..., 1] / height * 2 - 1], -1).float()
    planes = there.cpu().movedim(-1, 0)[None]
    read = nn.functional.grid_sample(planes, grid[None], mode="bilinear", align_corners=False)[0].movedim(0, -1)
    return float((read - here.cpu()).abs().mean(-1)[seen].mean()), part


def measure_pair(
    bare: tuple[BareFrame, BareFrame], refined: tuple[Tensor, Tensor], what: str, where: Correspondence | None = None
) -> PairMeasures | None:
    """How well two views agree; None where they have too little in common to say."""
    where = where or correspondence(*bare)
    before, seen = warp_difference(bare[0].beauty, bare[1].beauty, where)
    if seen < _LEAST_SEEN:
        return None
    after, _ = warp_difference(refined[0], refined[1], where)
    return PairMeasures(what, before, after, seen)


def judge(frames: Mapping[int, FrameMeasures], pairs: Sequence[tuple[int, PairMeasures]], limits: Limits) -> Verdict:
    """Whether a shot's measures, by scene frame, hold."""
    failures: list[str] = []
    for name, limit, words in (
        ("largest", limits.bound * (1 + 1e-5), "a value changed by {:.3f}, at most {:.3f} may be"),
        ("colour", limits.colour, "broad colour changed by {:.4f}, at most {:.4f} may be"),
        ("edges", limits.edges, "{:.1%} of the edges moved, at most {:.1%} may"),
    ):
        over = {frame: getattr(one, name) for frame, one in frames.items() if getattr(one, name) > limit}
        if over:
            frame = max(over, key=lambda number: over[number])
            failures.append(f"scene frame {frame}: {words.format(over[frame], limit)}")
    excess = {
        (frame, one.what): one.refined - one.bare - max(limits.warp, limits.warp_part * one.bare)
        for frame, one in pairs
    }
    if excess and max(excess.values()) > 0:
        frame, what = max(excess, key=lambda key: excess[key])
        pair = next(one for number, one in pairs if (number, one.what) == (frame, what))
        failures.append(
            f"scene frame {frame} and {what} disagree by {pair.refined:.4f}, the bare ones by {pair.bare:.4f}"
        )
    worst = {
        "largest": max((one.largest for one in frames.values()), default=0.0),
        "colour": max((one.colour for one in frames.values()), default=0.0),
        "edges": max((one.edges for one in frames.values()), default=0.0),
        "warp": max((one.refined - one.bare for _, one in pairs), default=0.0),
    }
    return Verdict(not failures, tuple(failures), worst)


def _world(frame: BareFrame) -> Tensor:  # [H, W, 3]
    camera = frame.camera
    ways = directions(camera).double()
    forward = torch.from_numpy(camera.pose[:3, 2].copy()).double()
    along = (ways * forward).sum(-1, keepdim=True).clamp_min(1e-6)
    position = torch.from_numpy(camera.position.copy()).double()
    return position + ways / along * frame.depth.cpu().double()[..., None]


def _owner_names(frame: BareFrame) -> Tensor:  # [H, W] int64, alike for members of one name in any frame
    table = torch.tensor([hash(name) for name in frame.members] + [0], dtype=torch.int64)
    return table[frame.owner.cpu()]


def _gradients(picture: Tensor) -> Tensor:  # [H, W] -> [2, H, W]
    wide = nn.functional.pad(picture[None, None].float(), (1, 1, 1, 1), mode="replicate")[0, 0]
    across = (wide[1:-1, 2:] - wide[1:-1, :-2]) * 0.5
    down = (wide[2:, 1:-1] - wide[:-2, 1:-1]) * 0.5
    return torch.stack([across, down])


def _window_means(values: Tensor) -> Tensor:  # [H, W]
    return nn.functional.avg_pool2d(values[None], EDGE_WINDOW, 1, EDGE_WINDOW // 2)[0]


def _quantile(values: Tensor, part: float) -> Tensor:
    flat = values.flatten()
    return flat.kthvalue(max(1, min(len(flat), round(part * len(flat))))).values
