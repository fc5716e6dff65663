"""What a joint is for, whatever its rig calls it: "thigh.left" is a role, `mixamorig:LeftUpLeg` a name.

Roles are the names of this project's rigs: `hips`, `spine`, `chest`, `neck`, `head`, and with `.left` or `.right`
`shoulder`, `arm`, `forearm`, `hand`, `thigh`, `shin`, `foot`, `toes`, `eye`, and fingers `thumb1` to `little3`.
Understood are the habits of Mixamo, Unreal, Blender's Rigify, Unity's humanoids, Bandai Namco, CMU and the like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from splatfilm.stage.rigs import Skeleton

SIDES = ("left", "right")
CENTRE = ("hips", "spine", "chest", "neck", "head")
SIDED = ("shoulder", "arm", "forearm", "hand", "thigh", "shin", "foot", "toes", "eye")
FINGERS = ("thumb", "index", "middle", "ring", "little")
ROLES = (
    *CENTRE,
    *(f"{name}.{side}" for side in SIDES for name in SIDED),
    *(f"{finger}{k}.{side}" for side in SIDES for finger in FINGERS for k in (1, 2, 3)),
)
"""Every role there is."""

_SIDE_WORDS = {"left": "left", "l": "left", "right": "right", "r": "right"}
_CENTRE_WORDS = {"hips": "hips", "pelvis": "hips", "hip": "hips", "neck": "neck", "head": "head"}
_SIDED_WORDS = {
    "shoulder": "shoulder",
    "clavicle": "shoulder",
    "collar": "shoulder",
    "collarbone": "shoulder",
    "arm": "arm",
    "upperarm": "arm",
    "uparm": "arm",
    "forearm": "forearm",
    "lowerarm": "forearm",
    "lowarm": "forearm",
    "elbow": "forearm",
    "hand": "hand",
    "wrist": "hand",
    "thigh": "thigh",
    "upleg": "thigh",
    "upperleg": "thigh",
    "hip": "thigh",
    "shin": "shin",
    "calf": "shin",
    "leg": "shin",
    "lowerleg": "shin",
    "lowleg": "shin",
    "knee": "shin",
    "foot": "foot",
    "ankle": "foot",
    "toes": "toes",
    "toe": "toes",
    "toebase": "toes",
    "ball": "toes",
    "eye": "eye",
}
_FINGER_WORDS = {**{f: f for f in FINGERS}, "pinky": "little"}
_PREFIXES = re.compile(r"^(mixamorig\d*|def|bip\d*|cc|b)(?=[\W_])[\W_]*", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def find_roles(skeleton: Skeleton, names: Mapping[str, str] | None = None) -> Mapping[str, int]:
    """The joints that fill roles, role -> joint number; the first joint from the root that fits is taken.

    `names` (role -> joint name) settles what cannot be guessed. Spines of any number of joints have the first as
    `spine` and the last, which carries the shoulders, as `chest`. Raises `ValueError` for a role or a joint in `names`
    that does not exist.
    """
    found: dict[str, int] = {}
    for i, name in enumerate(skeleton.names):
        role = guess_role(name)
        if role is not None:
            found.setdefault(role, i)
    _spine(skeleton, found)
    for role, name in (names or {}).items():
        if role not in ROLES:
            raise ValueError(f"{role!r} is no role: expected {', '.join(ROLES[:8])}, ...")
        if name not in skeleton.names:
            raise ValueError(f"the role {role!r} is given to {name!r}, which the skeleton does not have")
        found[role] = skeleton.names.index(name)
    return MappingProxyType(found)


def guess_role(name: str) -> str | None:
    """The role that a joint's name alone says, or None; of the trunk between hips and neck it says nothing."""
    words = [w.lower() for w in _WORDS.findall(_PREFIXES.sub("", name.strip()))]
    side = next((_SIDE_WORDS[w] for w in words if w in _SIDE_WORDS), None)
    number = next((int(w) for w in words if w.isdigit()), None)
    rest = [w for w in words if w not in _SIDE_WORDS and not w.isdigit()]
    word = "".join(w for w in rest if w not in ("hand", "finger") or len(rest) == 1)
    if side is None:
        return _CENTRE_WORDS.get(word) if number in (None, 0, 1) else None
    if word in _FINGER_WORDS and number in (1, 2, 3):
        return f"{_FINGER_WORDS[word]}{number}.{side}"
    return f"{_SIDED_WORDS[word]}.{side}" if word in _SIDED_WORDS and number in (None, 0, 1) else None


def _spine(skeleton: Skeleton, found: dict[str, int]) -> None:
    """Fill `spine` and `chest` from the joints between the hips and what the trunk carries."""
    carried = [found[r] for r in ("neck", "shoulder.left", "arm.left", "head") if r in found]
    if "hips" not in found or not carried:
        return
    chain: list[int] = []
    at = skeleton.parents[carried[0]]
    while at >= 0 and at != found["hips"]:
        chain.append(at)
        at = skeleton.parents[at]
    if at != found["hips"] or not chain:
        return
    found["chest"] = chain[0]
    if len(chain) > 1:
        found["spine"] = chain[-1]


def missing(roles: Mapping[str, int], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The roles of `wanted` that nothing fills."""
    return tuple(role for role in wanted if role not in roles)
