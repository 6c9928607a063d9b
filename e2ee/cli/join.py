"""``e2ee join``: asks to be let into a group call, and is in it until this device leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    RecordInto,
    RelayOnly,
    Screen,
    Test,
    Voice,
    network,
)
from e2ee.cli.calls.profile import PassphraseFile, ProfilePath, opened
from e2ee.cli.calls.running import run
from e2ee.cli.calls.shown import read_argument, visible
from e2ee.cli.main import refuse
from e2ee.client.profile import Profile

if TYPE_CHECKING:
    from e2ee.call.group.link import GroupLink
    from e2ee.client.group_call import GroupCall
    from e2ee.client.media import Media, Network

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("join")(join)


def join(
    link: Annotated[str, typer.Argument(help="What e2ee meet printed; - asks for it.")],
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    voice: Voice = False,
    camera: Camera = None,
    microphone: Microphone = None,
    screen: Screen = None,
    media: MediaFile = None,
    test: Test = False,
    mute: Mute = False,
    out: RecordInto = None,
    play: Play = False,
    address: Address = None,
    relay_only: RelayOnly = False,
    as_json: AsJson = False,
) -> None:
    """Join a group call by its link; where there is a lobby, wait until a host lets you in.

    Camera and microphone of this machine are sent, if there are any and you may speak. Keys
    and lines are those of e2ee meet. A link is a secret, and on the command line everybody on
    this machine can list it: with - in its place it is read from standard input.

        e2ee join 'https://calls.example/meet/q83vEjRWeJC...#Zm9v...'
        e2ee join - --voice --play

    Exit status 0: you were in it, and left; 1: you were not let in, or were removed; 2: it does
    not run like this; 130: interrupted.
    """
    options = MediaOptions(camera, microphone, screen, media, test, mute, not voice, play)
    with opened(path, passphrase_file) as profile:
        given = _checked(profile, read_argument(link))
        paths = network(address, relay_only=relay_only)
        run("join", _joined(profile, path, given, options, paths, out, as_json=as_json))


def _checked(profile: Profile, text: str) -> GroupLink:
    """The link, or the command ends."""
    from e2ee.client.errors import ClientUsageError  # noqa: PLC0415 - as media, when there is something to join
    from e2ee.client.link_url import read_link_url  # noqa: PLC0415

    try:
        return read_link_url(profile.keys.service.url, text)
    except ClientUsageError as error:
        refuse(f"not a link that leads anywhere from here: {visible(error.detail)}")


async def _joined(
    profile: Profile,
    path: Path,
    link: GroupLink,
    options: MediaOptions,
    paths: Network,
    out: Path | None,
    *,
    as_json: bool,
) -> bool:
    from e2ee.cli.calls.desk import at_desk, came_about  # noqa: PLC0415 - media are loaded late
    from e2ee.cli.calls.meeting_wishes import MEETING_KEYS  # noqa: PLC0415

    async with at_desk(profile, path, paths, MEETING_KEYS, options, as_json=as_json) as desk:

        async def begin(media: Media) -> GroupCall:
            return desk.client.join(link, media)

        return came_about(await desk.meet(begin, out))
