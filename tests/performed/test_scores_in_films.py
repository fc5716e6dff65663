"""A score in a film's cast: read, refused, noted, and clips of another skeleton beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from splatfilm.base.errors import InputError
from splatfilm.film import load
from splatfilm.stage.performance import findings
from splatfilm.stage.placement import Placements
from splatfilm.stage.rigs.skeleton import world_transforms

ROOT = Path(__file__).resolve().parents[2]
TOLD = 'performance = "ada.performance.toml"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in (ROOT / "cameras" / "morning").iterdir():
        shutil.copy(file, tmp_path)
    text = (tmp_path / "film.toml").read_text().replace("../../captures", (ROOT / "captures").as_posix())
    (tmp_path / "film.toml").write_text(text)
    return tmp_path


def edited(folder: Path, file: str, old: str, new: str) -> Path:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    return folder / "film.toml"


def test_a_score_moves_the_pose_and_the_place(folder: Path) -> None:
    placements = Placements(load(folder / "film.toml"), "morning")
    bed, basin = placements.at(1020)[1], placements.at(1950)[1]
    assert (bed.member, basin.member) == ("ada", "ada")
    assert np.linalg.norm(np.subtract(bed.place.translation, basin.place.translation)) > 4
    assert bed.pose_key != basin.pose_key


def test_a_comment_in_a_score_changes_no_frames_key_and_a_step_does(folder: Path) -> None:
    def keys() -> list[str]:
        placements = Placements(load(folder / "film.toml"), "morning")
        return [placements.at(frame)[1].pose_key for frame in (1020, 1900)]

    before = keys()
    edited(folder, "ada.performance.toml", 'actor = "ada"', '# a quiet morning\nactor = "ada"')
    assert keys() == before
    edited(folder, "ada.performance.toml", "mattress = 0.53", "mattress = 0.55")
    after = keys()
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_a_score_and_clips_cannot_both_say_what_is_done(folder: Path) -> None:
    film = edited(folder, "film.toml", TOLD, TOLD + '\nclip = "walk"')
    with pytest.raises(InputError, match="together with performance"):
        load(film)


def test_only_characters_have_scores(folder: Path) -> None:
    film = edited(folder, "film.toml", 'asset = "book"', 'asset = "book"\n' + TOLD)
    with pytest.raises(InputError, match="only a character performs"):
        load(film)


def test_a_score_that_ends_early_or_names_an_unknown_clip_is_told(folder: Path) -> None:
    edited(folder, "film.toml", "frames = [1001, 2009]       #", "frames = [1001, 2100]       #")
    _, remarks = findings(load(folder / "film.toml"))
    assert any("brush-teeth is over at frame 2009" in remark for _, remark in remarks)
    film = load(
        edited(folder, "ada.performance.toml", 'do = "idle"\nseconds = 1.9', 'do = "clip"\nname = "put-on-gwon"')
    )
    problems, _ = findings(film)
    assert any("put-on-gwon" in p.message and "did you mean" in p.message for p in problems)


BVH = """HIERARCHY
ROOT Hips
{ OFFSET 0 0 0 CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
 JOINT Spine { OFFSET 0 20 0 CHANNELS 3 Zrotation Xrotation Yrotation
  JOINT Head { OFFSET 0 40 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 0 20 0 } }
  JOINT LeftArm { OFFSET 18 30 0 CHANNELS 3 Zrotation Xrotation Yrotation
   JOINT LeftForeArm { OFFSET 28 0 0 CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT LeftHand { OFFSET 25 0 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 8 0 0 } } } }
  JOINT RightArm { OFFSET -18 30 0 CHANNELS 3 Zrotation Xrotation Yrotation
   JOINT RightForeArm { OFFSET -28 0 0 CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT RightHand { OFFSET -25 0 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET -8 0 0 } } } } }
 JOINT LeftUpLeg { OFFSET 9 0 0 CHANNELS 3 Zrotation Xrotation Yrotation
  JOINT LeftLeg { OFFSET 0 -42 0 CHANNELS 3 Zrotation Xrotation Yrotation
   JOINT LeftFoot { OFFSET 0 -40 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 0 -5 14 } } } }
 JOINT RightUpLeg { OFFSET -9 0 0 CHANNELS 3 Zrotation Xrotation Yrotation
  JOINT RightLeg { OFFSET 0 -42 0 CHANNELS 3 Zrotation Xrotation Yrotation
   JOINT RightFoot { OFFSET 0 -40 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 0 -5 14 } } } }
}
MOTION
Frames: 2
Frame Time: 1.0
"""


def test_a_clip_of_another_skeleton_is_retargeted(folder: Path) -> None:
    still = ["0", "87", "0"] + ["0"] * (3 * 15)
    raised = list(still)
    raised[3 + 3 * 3] = "80"  # the left arm's first channel: up from the side
    tree = BVH  # the format wants every word of these on a line of its own
    for word in ("{", "}", "CHANNELS", "OFFSET", "JOINT", "End Site"):
        tree = tree.replace(word, f"\n{word}\n" if word in "{}" else f"\n{word}")
    (folder / "wave.bvh").write_text(tree + " ".join(still) + "\n" + " ".join(raised) + "\n")
    film = load(edited(folder, "film.toml", TOLD, 'clip = "wave.bvh"'))
    placements = Placements(film, "morning")
    skeleton = placements.performers["ada"].rig.skeleton
    heights = []
    for frame in (1001, 1025):
        pose = placements.at(frame)[1].pose
        assert pose is not None
        heights.append(float(world_transforms(skeleton, pose)[skeleton.index("hand.left"), 2, 3]))
    assert heights[1] > heights[0] + 0.3
    assert any("wave.bvh" in n and "was made at 1 frames a second" in n for n in placements.notes())
