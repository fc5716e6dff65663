"""The verbs of the command line: one table, and the group that imports a verb only when it is called.

`splatfilm --help` and shell completion read the table alone, so they stay instant however heavy a verb's room is. A
verb lives in `splatfilm/cli/<verb>.py` (dashes become underscores) and exposes a click command named `command`.
"""

from __future__ import annotations

import importlib
from typing import Any

import click

from splatfilm.base.errors import did_you_mean
from splatfilm.cli.terminal import Settings

VERBS = {
    "make": "Make a whole film: reconstruct, render and cut what has changed.",
    "capture": "Look at a folder of photographs before it is reconstructed.",
    "reconstruct": "Turn captures into splats.",
    "render": "Render shots to numbered frames.",
    "view": "Lay out a film's cameras in the browser.",
    "rig": "Look at rigs, and at how splats hang on them.",
    "continuity": "Check that a rendered film holds together, cut by cut.",
