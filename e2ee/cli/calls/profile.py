"""Where a device's keys are, and how the commands open that file. What keeps them from it ends the command with status 2."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from e2ee.cli.main import refuse
from e2ee.client.profile import Profile
from e2ee.client.store_errors import StoreError, StoreReason

__all__ = [
    "DEVICE",
    "PassphraseFile",
    "ProfilePath",
    "is_registered",
    "new_passphrase",
    "opened",
    "secret_of",
]

DEVICE = "This device"
"""Panel of the help."""

PASSPHRASE = "E2EE_PASSPHRASE"


def _default() -> Path:
    """Of the XDG base directories the one for data."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "e2ee" / "profile.db"


ProfilePath = Annotated[
    Path,
    typer.Option(
        "--profile",
        envvar="E2EE_PROFILE",
        default_factory=_default,
        show_default="profile.db in the user's data directory",
        dir_okay=False,
        help="The file with this device's keys and contacts; for its owner only.",
        rich_help_panel=DEVICE,
    ),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        exists=True,
        dir_okay=False,
        help=f"What opens it if it is sealed; or ${PASSPHRASE}, or it is asked for.",
        rich_help_panel=DEVICE,
    ),
]


def secret_of(file: Path | None, variable: str) -> str | None:
    """A secret from a file's first line, or from the environment. Not from arguments, which everybody can list."""
    if file is not None:
        return file.read_text().partition("\n")[0].rstrip("\r")
    return os.environ.get(variable)


@contextlib.contextmanager
def opened(path: Path, passphrase_file: Path | None) -> Iterator[Profile]:
    """The profile of a device that is registered."""
    if not path.exists():
        refuse(f"no device at {path}: e2ee register makes an account, e2ee link joins one")
    with refusing(), _profile(path, secret_of(passphrase_file, PASSPHRASE)) as profile:
        if not is_registered(profile):
            refuse(f"the device at {path} is not registered yet: run e2ee register again")
        yield profile


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """What is wrong with the file, in one line."""
    try:
        yield
    except StoreError as error:
        refuse(
            f"{_SAID.get(error.reason, error.reason)}{f': {error.detail}' if error.detail else ''}"
        )


_SAID: dict[object, str] = {
    StoreReason.NOT_PRIVATE: "the profile is not private",
    StoreReason.NOT_A_STORE: "this is no profile",
    StoreReason.WRONG_FORMAT: "the profile is of another version",
    StoreReason.IN_USE: "the profile is in use: another e2ee is running with it",
    StoreReason.PASSPHRASE_NEEDED: f"the profile is sealed: give --passphrase-file or {PASSPHRASE}",
    StoreReason.WRONG_PASSPHRASE: "this passphrase does not open the profile",
    StoreReason.NOT_SEALED: "a passphrase was given, and the profile has no seal",
    StoreReason.DAMAGED: "the profile is damaged",
}


@contextlib.contextmanager
def _profile(path: Path, passphrase: str | None) -> Iterator[Profile]:
    with contextlib.ExitStack() as stack:
        try:
            profile = stack.enter_context(Profile.open(path, passphrase))
        except StoreError as error:
            if error.reason is not StoreReason.PASSPHRASE_NEEDED or not sys.stdin.isatty():
                raise
            asked = typer.prompt(f"Passphrase of {path}", hide_input=True, err=True)
            profile = stack.enter_context(Profile.open(path, asked))
        yield profile


def new_passphrase(passphrase_file: Path | None, *, seal: bool) -> str | None:
    """What a new profile is to be sealed with; None: it is not."""
    passphrase = secret_of(passphrase_file, PASSPHRASE)
    if passphrase is not None or not seal:
        return passphrase
    if not sys.stdin.isatty():
        refuse(
            f"--seal asks for a passphrase on a terminal; else give --passphrase-file or {PASSPHRASE}"
        )
    asked: str = typer.prompt(
        "Passphrase for this profile", hide_input=True, confirmation_prompt=True, err=True
    )
    return asked


def is_registered(profile: Profile) -> bool:
    """Whether there is a device in it that has a certificate."""
    try:
        return bool(profile.keys.certificate)
    except StoreError as error:
        if error.reason is StoreReason.NO_IDENTITY:
            return False
        raise
