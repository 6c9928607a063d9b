"""``e2ee answer``: waits for calls, and is in those that are taken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from e2ee.cli.calls.options import (
    Address,
    AsJson,
    Camera,
    MediaFile,
    MediaOptions,
    Microphone,
    Mute,
    Play,
    RelayOnly,
    Screen,
    Test,
    Voice,
    network,
)
from e2ee.cli.calls.profile import PassphraseFile, ProfilePath, opened
from e2ee.cli.calls.running import run
from e2ee.cli.main import refuse
from e2ee.client.media import Network
from e2ee.client.profile import Profile

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("answer")(answer)


def answer(
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    once: Annotated[
        bool, typer.Option("--once", help="End after one call that was taken.")
    ] = False,
    auto: Annotated[
        bool,
        typer.Option(
            "--auto", help="Take every call without asking, but of who has a changed key."
        ),
    ] = False,
    voice: Voice = False,
    camera: Camera = None,
    microphone: Microphone = None,
    screen: Screen = None,
    media: MediaFile = None,
    test: Test = False,
    mute: Mute = False,
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Record what is received, one WebM file a call (or member), in this directory. Nobody else is told of it.",
        ),
    ] = None,
    play: Play = False,
    address: Address = None,
    relay_only: RelayOnly = False,
    as_json: AsJson = False,
) -> None:
    """Wait for calls; who rings is shown with what is known of them.

    On a terminal: a answers, d declines, t declines with a text, q leaves. Elsewhere lines of
    standard input do: /answer, /decline, /decline TEXT, /quit. In a call the keys and lines
    are those of e2ee call, in a group call to which somebody invites those of e2ee meet.

        e2ee answer
        e2ee answer --auto --once --test --out recordings

    Letters that were left meanwhile are shown; voice messages are kept in voice-messages,
    beside the profile. Whose key has changed is never answered before e2ee contacts accept.

    Exit status 0: left, or with --once people talked; 1: with --once they did not; 2: it does
    not run like this; 130: interrupted.
    """
    if out is not None and not out.is_dir():
        refuse(f"{out} is no directory")
    options = MediaOptions(camera, microphone, screen, media, test, mute, not voice, play)
    with opened(path, passphrase_file) as profile:
        paths = network(address, relay_only=relay_only)
        waiting = _waited(profile, path, options, paths, out, auto=auto, once=once, as_json=as_json)
        run("answer", waiting)


async def _waited(
    profile: Profile,
    path: Path,
    options: MediaOptions,
    paths: Network,
    out: Path | None,
    *,
    auto: bool,
    once: bool,
    as_json: bool,
) -> bool:
    from e2ee.cli.calls.desk import at_desk, came_about  # noqa: PLC0415 - media are loaded late
    from e2ee.cli.calls.doorbell import DOOR_KEYS, Doorbell  # noqa: PLC0415

    async with at_desk(profile, path, paths, DOOR_KEYS, options, as_json=as_json) as desk:
        desk.tell_waiting()
        doorbell = Doorbell(desk.client, desk.output, desk.keyboard, auto, desk.known)
        while (invitation := await doorbell.answered()) is not None:
            spoken = await desk.answer(invitation, out)
            if once:
                return spoken is not None and came_about(spoken)
    return True
