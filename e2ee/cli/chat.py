"""``e2ee chat``: a call without media, in which people write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from e2ee.cli.calls.options import AsJson, network
from e2ee.cli.calls.profile import PassphraseFile, ProfilePath, opened
from e2ee.cli.calls.running import run
from e2ee.cli.calls.shown import account_name
from e2ee.client.profile import Profile

if TYPE_CHECKING:
    from e2ee.cli.calls.desk import Desk, Spoken

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("chat")(chat)


def chat(
    path: ProfilePath,
    name: Annotated[
        str | None, typer.Argument(help="With whom; without a name: wait for somebody.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    leave_note: Annotated[
        bool,
        typer.Option(
            "--leave-note",
            help="If nobody answers, leave what was written as a note, without asking.",
        ),
    ] = False,
    auto: Annotated[
        bool,
        typer.Option(
            "--auto",
            help="Without a name: take every chat without asking, but of who has a changed key.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Chat with somebody who is there; lines are texts, and those that begin with / are commands.

    /react NUMBER EMOJI reacts to their text of that number, /code asks for a spoken code,
    /quit leaves, and so does the end of standard input, once all is delivered. What is written
    before they are there is said when they are. Nothing of a chat is kept.

        e2ee chat bob
        e2ee chat                              wait for somebody; /answer, /decline TEXT
        uptime | e2ee chat bob --leave-note

    Exit status 0: people talked; 1: it did not come about; 2: it does not run like this; 130: interrupted.
    """
    with opened(path, passphrase_file) as profile:
        if name is None:
            run("chat", _waited(profile, path, auto=auto, as_json=as_json))
        else:
            placed = _placed(profile, path, account_name(name), leave_note, as_json=as_json)
            run("chat", placed)


async def _placed(
    profile: Profile, path: Path, account_id: str, leave_note: bool, *, as_json: bool
) -> bool:
    from e2ee.call.medium import Medium  # noqa: PLC0415 - media are loaded when there are some
    from e2ee.cli.calls.desk import at_desk, came_about  # noqa: PLC0415
    from e2ee.cli.calls.wishes import KEYS  # noqa: PLC0415

    paths = network(None, relay_only=False)
    async with at_desk(profile, path, paths, KEYS, None, as_json=as_json) as desk:
        spoken = await desk.talk(
            lambda media: desk.client.call(account_id, media, medium=Medium.TEXT),
            Medium.TEXT,
            leaves_at_end=True,
        )
        if spoken.went_unnoticed:
            await desk.outside.noted()
        if spoken.is_unanswered:
            await _offer_note(desk, account_id, spoken, ask=not leave_note)
        return came_about(spoken)


async def _offer_note(desk: Desk, account_id: str, spoken: Spoken, *, ask: bool) -> None:
    """What was written already, or what is written now."""
    from e2ee.signalling.messages import Note  # noqa: PLC0415

    written = "\n".join(spoken.unsaid)
    if written and ask:
        answer = await desk.ask("leave what you wrote as a note? y or n")
        written = written if (answer or "").strip().lower() in ("y", "yes") else ""
    elif ask:
        written = await desk.ask("leave a note? Write it; an empty line leaves none") or ""
    if written:
        await desk.leave(account_id, Note(desk.client.clock(), written))


async def _waited(profile: Profile, path: Path, *, auto: bool, as_json: bool) -> bool:
    from e2ee.call.medium import Medium  # noqa: PLC0415 - media are loaded when there are some
    from e2ee.cli.calls.desk import at_desk  # noqa: PLC0415
    from e2ee.cli.calls.doorbell import DOOR_KEYS, Doorbell  # noqa: PLC0415

    paths = network(None, relay_only=False)
    async with at_desk(profile, path, paths, DOOR_KEYS, None, as_json=as_json) as desk:
        desk.tell_waiting()
        doorbell = Doorbell(
            desk.client,
            desk.output,
            desk.keyboard,
            auto,
            desk.known,
            lambda medium: medium is Medium.TEXT,
        )
        while (invitation := await doorbell.answered()) is not None:
            await desk.answer(invitation)
    return True
