"""The promises of the captures: a set, an actor and props of our own whose truth agrees with itself.

They need tools that the film package does not: Blender as a Python module, the Khronos validator, pycolmap. Each
promise says which one it lacks. `SPLATFILM_BPY` and `SPLATFILM_COLMAP` name the Pythons of those environments where
they are not in the folders that captures/README.md gives.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tests.acceptance.promise import REPOSITORY, Ground, Promise, run

MAKE = REPOSITORY / "captures" / "make"
VALIDATE = """
const bytes = new Uint8Array(require('fs').readFileSync(process.argv[1]));
require('gltf-validator').validateBytes(bytes).then(r => console.log(JSON.stringify(r.issues)));
"""


def truth_agrees_with_itself(ground: Ground) -> str:
    """Held-out depth in its neighbours, and the rig at rest before the actor's depth."""
    python = _python("SPLATFILM_BPY", ".venv", "requirements.txt")
    done = run([str(python), str(MAKE / "build.py"), "check", "--quality", "final"], REPOSITORY)
    figures = [line for line in done.stdout.splitlines() if "wanted" in line]
    for name in ("flat:", "ada-gown:", "rig:"):
        assert any(line.startswith(name) for line in figures), f"{name} was not checked; build it first:\n{done.stdout}"
    assert "nothing to compare" not in done.stdout, "no truth to compare the rig with; build ada-gown first"
    return "; ".join(figures)


def colmap_finds_the_photographers_places(ground: Ground) -> str:
    """pycolmap given only the flat's photographs."""
    python = _python("SPLATFILM_COLMAP", ".venv-colmap", "requirements-colmap.txt")
    done = run([str(python), str(MAKE / "register.py"), "flat"], REPOSITORY)
    return "; ".join(done.stdout.strip().splitlines()[-4:])


def the_rig_is_valid_gltf(ground: Ground) -> str:
    """The Khronos validator on `rig.glb`."""
    for tool in ("node", "npm"):
        assert shutil.which(tool), f"{tool} is missing; install Node.js"
    folder = ground.folder / "validator"
    folder.mkdir(exist_ok=True)
    run(["npm", "install", "--silent", "gltf-validator@2.0.0-dev.3.10"], folder)
    said = run(["node", "-e", VALIDATE, str(REPOSITORY / "captures" / "ada" / "rig.glb")], folder).stdout
    issues = json.loads(said)
    assert issues["numErrors"] == 0, issues["messages"][:5]
    return f"no errors, {issues['numWarnings']} warnings"


def captures_are_whole_and_small(ground: Ground) -> str:
    """What is committed: readable, split, with its truth, under 40 MiB."""
    clone = ground.clone("test")
    done = run([str(clone / ".venv/bin/python"), "-m", "pytest", "tests/captures"], clone)
    return done.stdout.strip().splitlines()[-1]


def _python(variable: str, environment: str, requirements: str) -> Path:
    python = Path(os.environ.get(variable, MAKE / environment / "bin" / "python"))
    assert python.exists(), (
        f"{python} is missing: python3.11 -m venv captures/make/{environment} && "
        f"captures/make/{environment}/bin/pip install -r captures/make/{requirements}, or set {variable}"
    )
    return python


PROMISES = (
    Promise("the captures that are committed are whole and at most 40 MiB", captures_are_whole_and_small),
    Promise("the captures' truth agrees with itself, and the rig with the actor", truth_agrees_with_itself),
    Promise("rig.glb passes the Khronos validator without errors", the_rig_is_valid_gltf),
    Promise("pycolmap finds where the flat was photographed from", colmap_finds_the_photographers_places),
)
