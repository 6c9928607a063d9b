"""``e2ee call``: places a call and is in it until its end."""

from __future__ import annotations

from dataclasses import dataclass
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
from e2ee.cli.calls.shown import account_name, read_argument
from e2ee.cli.main import refuse
from e2ee.client.media import Network
from e2ee.client.profile import Profile

__all__ = ["register"]

ABSENT = "If nobody answers"
"""Panel of the help."""


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("call")(call)


def call(
    name: Annotated[str, typer.Argument(help="Whom to call.")],
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    voice: Voice = False,
    text: Annotated[bool, typer.Option("--text", help="Only a chat, as e2ee chat.")] = False,
    camera: Camera = None,
    microphone: Microphone = None,
    screen: Screen = None,
    media: MediaFile = None,
    test: Test = False,
    mute: Mute = False,
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Record what is received, as WebM. Nobody else is told of it."
        ),
    ] = None,
    play: Play = False,
    note: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Leave this note; - asks for it.", rich_help_panel=ABSENT
        ),
    ] = None,
    voice_message: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Leave the sound of this file as a voice message.",
            rich_help_panel=ABSENT,
        ),
    ] = None,
    address: Address = None,
    relay_only: RelayOnly = False,
    as_json: AsJson = False,
) -> None:
    """Call somebody: all of their devices ring, and the one that answers is in the call.

    Camera and microphone of this machine are sent, if there are any. On a terminal keys do
    the rest: m microphone, v camera, s screen, h hold, c spoken code, t a text, q hang up.
    Elsewhere lines of standard input do: /mute, /camera, /screen, /hold, /code, /quit; what
    does not begin with / is a text.

        e2ee call bob
        e2ee call bob --voice --note "call me back, it is about Friday"
        e2ee call bob --test --out received.webm

    A name is the server's word until the contact is verified (e2ee verify, or key c in the
    call). Nobody between the two devices of the call can hear or see it.

    Exit status 0: people talked; 1: it did not come about; 2: it does not run like this; 130: interrupted.
    """
    if voice and text:
        refuse("--voice and --text: one of them")
    options = MediaOptions(camera, microphone, screen, media, test, mute, not voice, play)
    given = None if note is None else read_argument(note)
    absent = Absent(given, None if voice_message is None else _voice(voice_message))
    with opened(path, passphrase_file) as profile:
        placed = _placed(
            profile,
            path,
            account_name(name),
            None if text else options,
            network(address, relay_only=relay_only),
            absent,
            out,
            as_json=as_json,
        )
        run("call", placed)


@dataclass(frozen=True)
class Absent:
    """What is left for who does not answer."""

    note: str | None
    audio: bytes | None


def _voice(path: Path) -> bytes:
    """Before anybody is called: whether it is speech."""
    from e2ee.rtc.errors import NotPlayable  # noqa: PLC0415
    from e2ee.rtc.voice_message import read_voice  # noqa: PLC0415 - media are loaded when there are some

    try:
        return read_voice(path)
    except NotPlayable as error:
        refuse(error.detail)


async def _placed(
    profile: Profile,
    path: Path,
    account_id: str,
    options: MediaOptions | None,
    paths: Network,
    absent: Absent,
    out: Path | None,
    *,
    as_json: bool,
) -> bool:
    from e2ee.call.medium import Medium  # noqa: PLC0415
    from e2ee.cli.calls.desk import at_desk, came_about  # noqa: PLC0415
    from e2ee.cli.calls.wishes import KEYS  # noqa: PLC0415
    from e2ee.signalling.messages import Note, VoiceMessage  # noqa: PLC0415

    medium = Medium.TEXT if options is None else Medium.VOICE
    if options is not None and options.picture:
        medium = Medium.VIDEO
    async with at_desk(profile, path, paths, KEYS, options, as_json=as_json) as desk:
        client = desk.client
        spoken = await desk.talk(
            lambda media: client.call(account_id, media, medium=medium), medium, out
        )
        if spoken.went_unnoticed:
            await desk.outside.noted()
        if spoken.is_unanswered:
            if absent.note:
                await desk.leave(account_id, Note(client.clock(), absent.note))
            if absent.audio:
                await desk.leave(account_id, VoiceMessage(client.clock(), absent.audio))
        return came_about(spoken)
