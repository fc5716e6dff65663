"""Clips: motion from files and from rules, put together into performances on the scene's clock. numpy only."""

from splatfilm.stage.clips.body import Body, Puppet
from splatfilm.stage.clips.bvh import read_bvh
from splatfilm.stage.clips.clip import Clip, Motion, Track, baked
from splatfilm.stage.clips.clip_file import clip_hash, read_clip, write_clip
from splatfilm.stage.clips.face import Blinks, looking
from splatfilm.stage.clips.feet import FootLock, contacts
from splatfilm.stage.clips.gltf import read_gltf_clips
from splatfilm.stage.clips.library import Brush, Held, Idle, Reach, get_up, held, lean_on_sill, mouth_of, yawn
from splatfilm.stage.clips.operations import Crossfade, Layer, Loop, Mirror, Trim, Warp, joints_below
from splatfilm.stage.clips.performance import Gaze, Performance, Performed, Span
from splatfilm.stage.clips.posing import Foot, Goals, Hand, Keyed, posed
from splatfilm.stage.clips.retarget import Match, Retarget, match
from splatfilm.stage.clips.roles import ROLES, find_roles, guess_role
from splatfilm.stage.clips.score import read_performance
from splatfilm.stage.clips.sketch import contact_sheet
from splatfilm.stage.clips.stepping import Placement, Planted, Steps, heading_of, turn, walk
from splatfilm.stage.clips.usd import PointCache, read_point_cache, read_usd_clip

CLIPS_VERSION = 2
"""Raised when the same score, rig and frame give another pose; belongs into the key of whatever is kept of a pose."""

__all__ = [
    "CLIPS_VERSION",
    "ROLES",
    "Blinks",
    "Body",
    "Brush",
    "Clip",
    "Crossfade",
    "Foot",
    "FootLock",
    "Gaze",
    "Goals",
    "Hand",
    "Held",
    "Idle",
    "Keyed",
    "Layer",
    "Loop",
    "Match",
    "Mirror",
    "Motion",
    "Performance",
    "Performed",
    "Placement",
    "Planted",
    "PointCache",
    "Puppet",
    "Reach",
    "Retarget",
    "Span",
    "Steps",
    "Track",
    "Trim",
    "Warp",
    "baked",
    "clip_hash",
    "contact_sheet",
    "contacts",
    "find_roles",
    "get_up",
    "guess_role",
    "heading_of",
    "held",
    "joints_below",
    "lean_on_sill",
    "looking",
    "match",
    "mouth_of",
    "posed",
    "read_bvh",
    "read_clip",
    "read_gltf_clips",
    "read_performance",
    "read_point_cache",
    "read_usd_clip",
    "turn",
    "walk",
    "write_clip",
    "yawn",
]
