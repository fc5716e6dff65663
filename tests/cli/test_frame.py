"""The frame around every verb: help at once, errors as one line a problem, exit codes that mean something."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import environment, trial_command

from splatfilm import __version__
from splatfilm.cli.verbs import VERBS

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HEAVY = ("torch", "numpy", "rich", "PIL", "av")


def modules_after(*arguments: str, env: dict[str, str] | None = None) -> tuple[set[str], str]:
    """The modules that `splatfilm ARGUMENTS` has loaded when it ends, and what it printed."""
    code = (
        "import sys\n"
        "from splatfilm.cli.main import main\n"
        "main(sys.argv[1:])\n"
        "print('MODULES', *sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(ended.stderr.split("MODULES")[1].split()), ended.stdout


def test_help_loads_no_verb_and_nothing_heavy() -> None:
    modules, printed = modules_after("--help")
    assert not modules & set(HEAVY)
    assert not [f"splatfilm.cli.{verb}" for verb in VERBS if f"splatfilm.cli.{verb}" in modules]
    for verb, line in VERBS.items():
        assert f"  {verb} " in printed
        assert line.split()[0] in printed
    for code in (0, 1, 2, 3, 4, 5, 130, 141):
        assert re.search(rf"^ +{code}  +\w", printed, re.MULTILINE), "every exit code is explained"


@pytest.mark.parametrize(
    "arguments", [("--version",), ("-h",), ("completion", "bash"), ("check", "--help"), ("chekc",)]
)
def test_small_questions_load_nothing_heavy(arguments: list[str]) -> None:
    modules, _ = modules_after(*arguments)
    assert not modules & set(HEAVY)


def test_importing_splatfilm_loads_nothing_heavy() -> None:
    code = "import sys, splatfilm; sys.exit(any(name in sys.modules for name in sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", code, *HEAVY, "click"], env=environment(), timeout=60, check=True)


def test_the_version_is_the_packages_own(run: Run) -> None:
    ended = run("--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"splatfilm {__version__}\n", "")


def test_no_verb_at_all_shows_the_help(run: Run) -> None:
    ended = run()
    assert ended.returncode == 2
    assert "Verbs:" in ended.stderr and "Exit codes:" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("chekc",), "there is no verb 'chekc'; did you mean \"check\"?"),
        (("check",), "Missing argument 'FILM...'"),
        (("check", "--jsno", "x"), "No such option"),
        (("--frobnicate",), "No such option"),
        (("completion", "tcsh"), "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_right(run: Run, arguments: tuple[str, ...], words: str) -> None:
    ended = run(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert "--help" in ended.stderr


def test_bad_input_exits_with_3_and_prints_one_line_a_problem(run_trial: Run) -> None:
    problems = "Problem('a.toml', 'shots[0]', 'wrong', 7), Problem('b.json', '', 'two\\nlines \\x1b[31m')"
    ended = run_trial(f"raise InputError([{problems}])")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == "error: a.toml:7: shots[0]: wrong\nerror: b.json: two\\nlines \\x1b[31m\n2 problems\n"


def test_files_below_the_current_folder_are_named_from_it(run_trial: Run) -> None:
    ended = run_trial("import pathlib; raise InputError.at(pathlib.Path.cwd() / 'sub' / 'a.json', 'wrong')")
    assert ended.stderr == f"error: {Path('sub') / 'a.json'}: wrong\n"


@pytest.mark.parametrize(
    ("body", "code", "printed"),
    [
        ("raise MissingPartError('gsplat is not installed: pip install gsplat')", 4, "error: gsplat is not installed:"),
        ("raise MissingPartError('no renderer:\\nnone at all')", 4, "error: no renderer:\nerror: none at all\n"),
        ("raise StorageError('out/a.png: cannot write: no space left')", 5, "error: out/a.png: cannot write"),
        ("raise click.UsageError('frames go upwards')", 2, "Error: frames go upwards"),
        ("raise KeyboardInterrupt", 130, "error: interrupted"),
        ("raise click.Abort", 130, "error: interrupted"),
        ("return 3", 3, ""),
        ("raise SystemExit(9)", 9, ""),
        ("click.get_current_context().exit(5)", 5, ""),
        ("return None", 0, ""),
        ("return {'a': 1}", 0, ""),
        ("return True", 0, ""),
    ],
)
def test_exit_codes_mean_something(run_trial: Run, body: str, code: int, printed: str) -> None:
    ended = run_trial(body)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert printed in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [("--verbose", "trial"), ("trial", "--verbose"), ("trial", "-v")])
def test_verbose_shows_where_an_error_comes_from(run_trial: Run, arguments: tuple[str, ...]) -> None:
    ended = run_trial("raise InputError.at('a.toml', 'wrong')", *arguments)
    assert ended.returncode == 3
    assert ended.stderr.startswith("Traceback") and ended.stderr.endswith("error: a.toml: wrong\n")


def test_a_defect_exits_with_1_and_asks_for_a_report(run_trial: Run) -> None:
    ended = run_trial("{}['mug']")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "error: a defect in Splatfilm: KeyError: 'mug'\n"
        "Your files are not the cause. Please report it with what --verbose adds.\n"
    )
    assert "Traceback" in run_trial("{}['mug']", "trial", "--verbose").stderr


def test_ctrl_c_ends_work_with_130_and_no_traceback() -> None:
    body = "import time; print('working', flush=True); time.sleep(60)"
    with subprocess.Popen(
        trial_command(body, "trial"), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "error: interrupted\n"
        assert process.wait(10) == 130


def test_a_reader_that_has_gone_ends_the_output_quietly() -> None:
    body = "for _ in range(100000): print('x' * 100)"
    with subprocess.Popen(
        trial_command(body, "trial"), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(10) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_does_not_fit_on_the_disk_exits_with_5() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            trial_command("click.echo('{}')", "trial"),
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 5
    assert ended.stderr == "error: standard output: cannot write: No space left on device\n"


def test_json_has_standard_output_for_itself(run_trial: Run) -> None:
    body = (
        "with terminal.progress() as progress:\n"
        "    progress.start('render', 2, 'frames'); progress.advance(2); progress.finish()\n"
        "    progress.say('kept v001')\n"
        "terminal.say('a remark')\n"
        "terminal.write_json({'frames': 2, 'name': 'Küche'})"
    )
    ended = run_trial(body)
    assert json.loads(ended.stdout) == {"frames": 2, "name": "Küche"}
    assert ended.stderr == "render: 2/2 frames, done in 0s\nkept v001\na remark\n"
    quiet = run_trial(body, "--quiet", "trial")
    assert (quiet.stdout, quiet.stderr) == (ended.stdout, "")
    assert run_trial(body, "trial", "-q").stderr == ""


def test_names_that_the_terminal_cannot_spell_do_not_stop_the_work(run_trial: Run) -> None:
    ended = run_trial("click.echo('K\\u00fcche \\u4e2d'); print('\\udcff')", env={"PYTHONIOENCODING": "latin-1:strict"})
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "K\ufffdche \\u4e2d\n\\udcff\n", "")


def test_threads_are_handed_down_in_the_environment(run_trial: Run) -> None:
    body = "import os; click.echo(str(os.environ.get('SPLATFILM_THREADS')))"

    def threads(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return run_trial(body, "trial", *arguments, options="@options.threads_option", env=env)

    assert threads().stdout == "None\n"
    assert threads("--threads", "3").stdout == "3\n"
    assert threads(SPLATFILM_THREADS="2").stdout == "2\n"
    assert threads("--threads", "3", SPLATFILM_THREADS="2").stdout == "3\n"
    for wrong in ("0", "many", "-1", "1e9"):
        assert threads("--threads", wrong).returncode == 2
        assert threads(SPLATFILM_THREADS=wrong).returncode == 2


# ---- completion ---------------------------------------------------------------------------------------------------


@pytest.fixture
def path_with_splatfilm(tmp_path: Path) -> str:
    """A PATH on which `splatfilm` is this checkout's."""
    program = tmp_path / "bin" / "splatfilm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m splatfilm "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


def complete_in_bash(words: list[str], path: str) -> list[str]:
    """What a real bash offers for the last of `words` after sourcing our script."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        "source <(splatfilm completion bash)\n"
        "complete -p splatfilm >/dev/null || exit 9\n"
        f"COMP_WORDS=({quoted}) COMP_CWORD={len(words) - 1}\n"
        "_splatfilm_completion splatfilm\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ended = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stderr == ""
    return ended.stdout.split()


def test_a_real_bash_completes_verbs_and_options(path_with_splatfilm: str) -> None:
    assert complete_in_bash(["splatfilm", ""], path_with_splatfilm) == list(VERBS)
    assert complete_in_bash(["splatfilm", "ch"], path_with_splatfilm) == ["check"]
    assert "--json" in complete_in_bash(["splatfilm", "check", "--"], path_with_splatfilm)
    assert complete_in_bash(["splatfilm", "completion", "z"], path_with_splatfilm) == ["zsh"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_their_scripts(run: Run, shell: str) -> None:
    ended = run("completion", shell)
    assert ended.returncode == 0
    assert "_SPLATFILM_COMPLETE" in ended.stdout and shell in ended.stdout


def test_completing_verbs_loads_no_verb() -> None:
    env = {"_SPLATFILM_COMPLETE": "bash_complete", "COMP_WORDS": "splatfilm r", "COMP_CWORD": "1"}
    modules, printed = modules_after(env=env)
    assert printed.split() == ["plain,reconstruct", "plain,render", "plain,refine", "plain,rig", "plain,report"]
    assert not modules & set(HEAVY)


def test_every_verb_of_the_table_teaches(run: Run) -> None:
    for verb in VERBS:
        ended = run(verb, "--help")
        assert ended.returncode == 0, f"{verb}: {ended.stderr}"
        assert "splatfilm " + verb in ended.stdout.split("Options:")[0].split("\n", 1)[1], f"{verb} has an example"
        assert "--quiet" in ended.stdout and "--verbose" in ended.stdout
