"""``e2ee meet``: makes a group call and is in it until this device leaves."""

from __future__ import annotations

from collections.abc import Sequence
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
from e2ee.cli.calls.shown import account_name
from e2ee.client.profile import Profile

if TYPE_CHECKING:
    from e2ee.client.group_call import GroupCall
    from e2ee.client.media import Media, Network

__all__ = ["register"]

WHO = "Who gets in, and who speaks"
"""Panel of the help."""


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("meet")(meet)


def meet(
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    invite: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Ring this account; more than once.", rich_help_panel=WHO
        ),
    ] = None,
    lobby: Annotated[
        bool,
        typer.Option(
            "--lobby", help="Who has the link waits until a host admits them.", rich_help_panel=WHO
        ),
    ] = False,
    stage: Annotated[
        bool,
        typer.Option(
            "--stage",
            help="Only you speak at first; the others watch until you take them on the stage.",
            rich_help_panel=WHO,
        ),
    ] = False,
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
    """Make a group call. First of all its link is printed: who has it gets in (e2ee join).

    The link is a secret: give it to nobody but those whom you want in the call. You are its
    host. On a terminal keys do the rest: m microphone, v camera, s screen, h raise a hand,
    t a text, c spoken code, q leave; l admits who waits in the lobby, r NAME removes somebody,
    o NAME host|guest|speaker|viewer changes a role.
    Elsewhere, and after t, lines do:

        /people  /invite NAME  /link  /link new  /lock  /lobby  /unlock     who gets in
        /admit  /admit NAME  /away NAME  /remove NAME  /ban NAME  /mute NAME
        /host NAME  /guest NAME  /stage NAME  /off NAME  /everybody         roles
        /mute  /camera  /screen  /hold  /hand  /see NAME...
        /react NAME NUMBER EMOJI  /code  /yes  /no  /call-code  /quit

    NAME/2 is the second device of an account. What does not begin with / is a text for all.

        e2ee meet
        e2ee meet --lobby --invite bob --invite carol
        e2ee meet --stage --media talk.webm --out recordings

    Nobody but the devices in the call can hear or see it, not those who carry it, nor who was
    removed.

    Exit status 0: it was, and you left; 1: it did not come about, or you were removed; 2: it does
    not run like this; 130: interrupted.
    """
    options = MediaOptions(camera, microphone, screen, media, test, mute, not voice, play)
    invited = [account_name(name) for name in invite or ()]
    with opened(path, passphrase_file) as profile:
        paths = network(address, relay_only=relay_only)
        met = _met(
            profile,
            path,
            options,
            paths,
            out,
            invited,
            lobby=lobby,
            stage=stage,
            as_json=as_json,
        )
        run("meet", met)


async def _met(
    profile: Profile,
    path: Path,
    options: MediaOptions,
    paths: Network,
    out: Path | None,
    invited: Sequence[str],
    *,
    lobby: bool,
    stage: bool,
    as_json: bool,
) -> bool:
    from e2ee.cli.calls.desk import at_desk, came_about  # noqa: PLC0415 - media are loaded late
    from e2ee.cli.calls.meeting_wishes import MEETING_KEYS  # noqa: PLC0415

    async with at_desk(profile, path, paths, MEETING_KEYS, options, as_json=as_json) as desk:

        async def begin(media: Media) -> GroupCall:
            return desk.client.meet(media, lobby=lobby, invite=invited, speakers_only=stage)

        return came_about(await desk.meet(begin, out))
