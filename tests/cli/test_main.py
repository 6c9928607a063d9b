"""The console script refuses in one line what it cannot run, and imports only the command that is called."""

from __future__ import annotations

import subprocess
import sys

import pytest

import e2ee
from e2ee.cli.commands import COMMANDS
from e2ee.cli.main import main


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from e2ee.cli.main import main; sys.argv[0] = 'e2ee'; main()"
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )


def test_version_names_the_distribution_and_the_specification() -> None:
    done = run("--version")
    assert done.returncode == 0
    expected = f"e2ee-calling {e2ee.__version__}, specification {e2ee.SPEC_VERSION}\n"
    assert done.stdout == expected


def test_help_lists_every_command_without_importing_it() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert f" {name} " in done.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0
    assert f"e2ee {name}" in done.stdout


def test_an_unknown_command_ends_with_2() -> None:
    assert run("teleport").returncode == 2


def test_a_missing_extra_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("e2ee.cli.main.find_spec", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "e2ee: the command line needs more: install 'e2ee-calling[cli]'\n"
    )


def test_a_command_does_not_pay_for_another() -> None:
    program = (
        "import sys; from e2ee.cli.commands import application; application(['requirements']);"
        "print(sorted({'aiortc', 'av', 'numpy', 'starlette'} & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
