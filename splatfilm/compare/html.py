"""The report as one page that needs no network, no server and no library."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from splatfilm.base.files import write_bytes

INLINE_LIMIT = 30 << 20
"""Bytes of videos that stand in the page itself; when there are more, they lie beside it, a script a shot."""

SCRIPTS = ("kit.js", "atlas.js", "stage.js", "plots.js", "overview.js", "viewer.js", "story.js", "pages.js", "main.js")


def write_page(path: Path, data: dict[str, Any], atlases: Mapping[str, Path]) -> None:
    """Write the page; `data` is the report, `atlases` the video of every shot.

    A page opened from a disk may load scripts from beside it, but may not read videos there pixel by pixel: so videos
    that are too large for the page come as scripts.
    """
    inline = sum(atlas.stat().st_size for atlas in atlases.values()) * 4 / 3 <= INLINE_LIMIT
    parts = []
    for shot in data["shots"]:
        encoded = base64.b64encode(atlases[shot["name"]].read_bytes()).decode("ascii")
        if inline:
            parts.append(f'<script type="text/plain" id="atlas-{shot["name"]}">{encoded}</script>')
            continue
        beside = f"{path.stem}-files/{atlases[shot['name']].stem}.js"
        shot["atlas"]["src"] = beside
        script = f"SF.arrived[{json.dumps(shot['name'])}]={json.dumps(encoded)};"
        if not (path.parent / beside).exists():
            write_bytes(path.parent / beside, script.encode("ascii"))
    text = _read("report.html")
    values = {
        "title": html.escape(f"{data['film']['title']}: continuity, compared"),
        "style": _read("report.css"),
        "data": json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c"),
        "atlases": "\n".join(parts),
        "script": "\n".join(_read(name) for name in SCRIPTS),
    }
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", value, 1)
    write_bytes(path, text.encode("utf-8"))


def _read(name: str) -> str:
    return (resources.files("splatfilm.compare") / "page" / name).read_text(encoding="utf-8")
