"""What the terminal shows: a bar on a terminal, plain lines elsewhere, and honest figures in both."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Iterator

import pytest
from command_line import environment, trial_command

from splatfilm.cli.terminal import PlainProgress, Work, duration, table

WORK = """
import time
with terminal.progress() as progress:
    progress.start('reconstruct flat', 40, 'steps')
    for step in range(1, 41):
        time.sleep(0.02)
        progress.advance(step, f'{20 + step / 10:.1f} dB')
        if step == 20:
            progress.say('halfway')
    progress.finish('24.0 dB held out')
click.echo('result')
"""
DONE = re.compile(r"reconstruct flat: 40/40 steps, done in \d+s, 24\.0 dB held out")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Clock:
    """A clock that tells what it is set to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def plain(clock: Clock, lines: list[str]) -> Iterator[PlainProgress]:
    yield PlainProgress(lines.append, clock)


def test_plain_lines_come_every_few_seconds_with_the_time_left(
    plain: PlainProgress, clock: Clock, lines: list[str]
) -> None:
    plain.start("reconstruct flat", 6000, "steps")
    for step in range(1, 6001):
        clock.now += 0.015  # 90 seconds in all
        plain.advance(step, f"{20 + step / 1000:.1f} dB")
    plain.finish("26.1 dB")
    assert len(lines) == 1 + (90 - 2) // 5 + 1
    assert lines[0] == "reconstruct flat: 134/6000 steps, 1m28s left, 20.1 dB"
    assert lines[-1] == "reconstruct flat: 6000/6000 steps, done in 1m30s, 26.1 dB"
    assert all(re.fullmatch(r"reconstruct flat: \d+/6000 steps, (\d+m)?\d+s left, [\d.]+ dB", x) for x in lines[:-1])


def test_work_that_is_over_at_once_gets_one_line(plain: PlainProgress, lines: list[str]) -> None:
    plain.start("render 010", 3, "frames")
    for frame in (1, 2, 3):
        plain.advance(frame)
    plain.finish()
    assert lines == ["render 010: 3/3 frames, done in 0s"]


def test_resumed_work_does_not_count_what_was_done_before(plain: PlainProgress, clock: Clock, lines: list[str]) -> None:
    plain.start("reconstruct flat", 6000, "steps")
    plain.advance(5000)
    for step in range(5001, 5011):
        clock.now += 1
        plain.advance(step)
    assert lines[-1] == "reconstruct flat: 5007/6000 steps, 16m33s left"


def test_the_time_left_follows_the_speed_of_the_last_half_minute() -> None:
    work = Work("train", 1000, "steps", began=0)
    for second in range(1, 101):
        work.advance(second, second)  # one a second
    for second in range(101, 141):
        work.advance(100 + (second - 100) * 10, second)  # then ten a second
    assert work.done == 500
    assert work.left(140) == pytest.approx(50, rel=0.05)


def test_there_is_no_telling_the_time_left_before_anything_is_done() -> None:
    work = Work("train", 10, "steps", began=0)
    assert work.left(5) is None and work.left_words(5) == ""
    work.advance(0, 5)
    assert work.left(6) is None
    work.advance(10, 7)
    assert work.left(8) is None, "nothing is left"


def test_new_work_begins_where_the_old_was_left_without_a_finish(plain: PlainProgress, lines: list[str]) -> None:
    plain.start("a", 2, "steps")
    plain.start("b", 2, "steps")
    plain.advance(2)
    plain.finish()
    plain.finish()
    plain.advance(1)
    assert lines == ["b: 2/2 steps, done in 0s"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (0.6, "1s"), (59.4, "59s"), (59.6, "1m00s"), (72, "1m12s"), (3599.7, "1h00m"), (7512, "2h05m")],
)
def test_durations_are_short_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_tables_stand_in_columns() -> None:
    assert table(("shot", "frames"), [("010", "48"), ("020-close", "120")], right=(1,)) == (
        "shot       frames\n"
        "010            48\n"
        "020-close     120"
    )  # fmt: skip
    assert table(("a", "b"), []) == "a  b"


def in_a_terminal(command: list[str], **env: str) -> tuple[int, str]:
    """Run a command in a pseudo-terminal of 100 columns; its exit code and everything that it drew."""
    leader, follower = pty.openpty()
    size = {"COLUMNS": "100", "LINES": "30", "TERM": "xterm-256color"}
    with subprocess.Popen(
        command, env=environment(**size, **env), stdin=follower, stdout=follower, stderr=follower, close_fds=True
    ) as process:
        os.close(follower)
        drawn = b""
        try:
            while piece := os.read(leader, 65536):
                drawn += piece
        except OSError:  # Linux says EIO where the other side has closed
            pass
        finally:
            os.close(leader)
        return process.wait(60), drawn.decode()


def test_a_terminal_gets_a_bar_that_says_what_how_far_and_how_long_still() -> None:
    code, drawn = in_a_terminal(trial_command(WORK, "trial"))
    assert code == 0
    text = ESCAPE.sub("", drawn)
    bars = re.findall(r"reconstruct flat [━╸╺ ]+ (\d+)/40 steps +(\d+)% (\d+s left)? *[\d.]+ dB", text)
    assert len(bars) > 3
    assert any(int(done) > 5 and int(percent) == round(100 * int(done) / 40) for done, percent, _ in bars)
    assert any(left for _, _, left in bars)
    assert ESCAPE.search(drawn), "it draws in place"
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    assert "halfway" in lines
    assert DONE.fullmatch(lines[-2]) and lines[-1] == "result"
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h"), "the cursor is given back"


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {}])
def test_where_there_is_no_terminal_nothing_is_drawn(env: dict[str, str]) -> None:
    command = trial_command(WORK, "trial")
    ended = subprocess.run(command, env=environment(**env), capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "result\n"
    lines = ended.stderr.splitlines()
    assert "halfway" in lines and DONE.fullmatch(lines[-1])
    assert "\x1b" not in ended.stderr and "\r" not in ended.stderr


def test_a_dumb_terminal_gets_plain_lines() -> None:
    command = trial_command(WORK, "trial")
    code, drawn = in_a_terminal(["env", "TERM=dumb", *command])
    assert code == 0
    assert "\x1b" not in drawn
    assert DONE.search(drawn)


def test_errors_are_red_on_a_terminal_unless_no_color_is_set() -> None:
    command = trial_command("raise InputError.at('a.toml', 'wrong')", "trial")
    code, drawn = in_a_terminal(command)
    assert (code, drawn) == (3, "\x1b[31m\x1b[1merror:\x1b[0m a.toml: wrong\r\n")
    code, drawn = in_a_terminal(command, NO_COLOR="1")
    assert (code, drawn) == (3, "error: a.toml: wrong\r\n")


def test_quiet_work_in_a_terminal_draws_nothing() -> None:
    code, drawn = in_a_terminal(trial_command(WORK, "trial", "--quiet"))
    assert (code, drawn) == (0, "result\r\n")


def test_an_interrupted_bar_gives_the_cursor_back() -> None:
    broken = WORK.replace("progress.say('halfway')", "raise KeyboardInterrupt")
    code, drawn = in_a_terminal(trial_command(broken, "trial"))
    assert code == 130
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") > 0
    assert ESCAPE.sub("", drawn).strip().endswith("error: interrupted")
