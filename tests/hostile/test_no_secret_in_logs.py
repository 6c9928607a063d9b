"""No secret in any log: every scenario with everybody's debug logging on, and then the search for all that it created.

What is searched for is noted where it is made (``secrets_made``): keys, what people say, descriptions, passphrases. What is
searched is everything that was logged or printed, with tracebacks, and what the attacks tell a reviewer.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import av.logging
import pytest

from e2ee.call.group.events import Joined, LinkChanged
from e2ee.call.medium import Medium
from e2ee.client.client import GroupInvitation
from e2ee.client.media import Media
from e2ee.crypto.secret import Secret
from e2ee.errors import E2EEError
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.sframe.mls import export_base_key
from e2ee.signalling.messages import Note
from e2ee.testing.hostile.catalogue import catalogue
from e2ee.testing.hostile.group_sockets import Seat, meeting
from e2ee.testing.hostile.patience import until
from e2ee.testing.hostile.proxy import HostileProxy, hostile_platform
from e2ee.testing.hostile.sockets import Side
from tests.hostile.conftest import play
from tests.hostile.debug_log import everything_said
from tests.hostile.secrets_made import SecretsMade

if TYPE_CHECKING:
    from tests.hostile.conftest import Played

TEXT = "meet me at the old harbour at nine, and bring the papers"
TOKEN = "dGhpcyBsZXRzIEFsaWNlIGluLCBvbmNl"

NOTE = "I have called you twice; the answer is yes, and nobody else knows"


@pytest.mark.parametrize("name", catalogue())
def test_an_attack_brings_no_secret_out(name: str, played: Callable[[str], Played]) -> None:
    assert played(name).secrets > 1
    assert played(name).leaks == []


def test_a_call_between_clients_logs_no_secret() -> None:
    made = SecretsMade()
    with everything_said() as said, made.recording():
        shown = asyncio.run(_whole_call(made))
    assert len(made) > 200
    assert made.leaked_in(said.getvalue() + shown) == []


async def _whole_call(made: SecretsMade) -> str:
    """Sound, picture, texts, a spoken code, a letter, and messages that are refused; gives what an application could print."""
    av.logging.set_level(av.logging.PANIC)
    for said in (TEXT, NOTE, TOKEN):
        made.note(said)
    async with (
        hostile_platform() as platform,
        platform.client("alice", TOKEN) as alice,
        platform.client("bob") as bob,
    ):
        placed = Side(alice.call("bob", Media(TestPicture(), Tone(440.0)), medium=Medium.VIDEO))
        answered = Side((await bob.invitation()).answer(Media(TestPicture(), Tone(660.0))))
        await asyncio.gather(placed.connected(), answered.connected())
        placed.call.say(TEXT)
        placed.call.begin_code()
        answered.call.begin_code()
        await until(lambda: answered.texts == [TEXT])
        await until(lambda: _pictures(answered) > 10)
        await _refused(platform)
        shown = [repr(placed.events), repr(answered.events), repr(placed.call)]
        await placed.hang_up()
        await asyncio.gather(answered.ended(), placed.call.ended(), answered.call.ended())
        await alice.leave("bob", Note(alice.clock(), NOTE))
        for client in (alice, bob):
            shown += [repr(client), repr(client.profile), repr(client.trust.contacts())]
            shown += [repr(vars(client))]
    return "\n".join(shown)


def test_a_meeting_between_clients_logs_no_secret() -> None:
    made = SecretsMade()
    with everything_said() as said, made.recording():
        shown = asyncio.run(_whole_meeting(made))
    assert len(made) > 200
    assert made.leaked_in(said.getvalue() + shown) == []


async def _whole_meeting(made: SecretsMade) -> str:
    """By a link, by an invitation; sound, texts, another link, a removal, and messages that are refused; gives what could be printed."""
    av.logging.set_level(av.logging.PANIC)
    made.note(TEXT)
    async with (
        hostile_platform(forwarding=True) as platform,
        meeting(platform, "alice", "bob", "carol") as seats,
        platform.client("dave") as dave,
    ):
        alice, bob, carol = seats
        for seat in seats:
            made.note((seat.call.link or "").partition("#")[2])
        alice.call.say(TEXT)
        alice.call.invite("dave")
        invitation = await dave.any_invitation()
        assert isinstance(invitation, GroupInvitation)
        invited = Seat("dave", await invitation.answer(Media()))
        await until(lambda: bool(invited.told(Joined)) and bob.texts == [TEXT])
        await until(lambda: all(seat.heard() for seat in seats))
        alice.call.change_link()
        await until(lambda: bool(bob.told(LinkChanged)))
        made.note((bob.call.link or "").partition("#")[2])
        (target,) = (each for each in alice.call.members if each.account_id == "carol")
        alice.call.remove(target)
        await until(lambda: carol.call.is_over)
        await _refused(platform)
        invited.call.leave()
        await invited.call.ended()
        shown = [repr(seat.events) + repr(seat.call) for seat in (*seats, invited)]
    return "\n".join(shown)


def _pictures(side: Side) -> int:
    received = side.call.statistics.received
    return received[Kind.CAMERA].opened if Kind.CAMERA in received else 0


async def _refused(platform: HostileProxy) -> None:
    """What makes clients complain, in the log."""
    for data in (b"\x93\xa4sent\xc4\x10" + bytes(16) + b"\xc4\x03abc", b"\xc1junk"):
        with contextlib.suppress(E2EEError):
            await platform.inject("bob", data)
    await asyncio.sleep(0.2)


LEAKS: dict[str, Callable[[bytes], object]] = {
    "its bytes": lambda secret: secret.decode("latin-1"),
    "its repr": lambda secret: [bytes(secret)],
    "hex": bytes.hex,
    "capital hex with colons": lambda secret: secret.hex(":").upper(),
    "hex behind other digits": lambda secret: "f" + secret.hex(),
    "base64": lambda secret: base64.b64encode(secret).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret).rstrip(b"=").decode(),
    "base64 of something longer": lambda secret: base64.b64encode(b"ab" + secret).decode(),
    "a list": list,
    "half of it": lambda secret: secret[8:24].hex(),
}


@pytest.mark.parametrize("form", LEAKS)
def test_a_secret_that_is_logged_is_found(form: str) -> None:
    made = SecretsMade()
    with everything_said() as written, made.recording():
        secret = Secret(bytes(range(100, 132)))
        logging.getLogger("some.library").debug("handshake done: %s", LEAKS[form](bytes(secret)))
    assert made.leaked_in(written.getvalue())


def test_a_secret_in_a_traceback_is_found() -> None:
    made = SecretsMade()
    with everything_said() as written, made.recording():
        secret = Secret(os.urandom(32))
        try:
            raise ValueError(bytes(secret))
        except ValueError:
            logging.getLogger("some.library").exception("what was that?")
    assert made.leaked_in(written.getvalue())


def test_a_leak_in_an_attack_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted where every call passes: the base key of the frames is logged when it is exported."""

    def talkative(*args: Any) -> Secret:
        key = export_base_key(*args)
        logging.getLogger("e2ee.call").debug("exported %s", key.hex())
        return key

    monkeypatch.setattr("e2ee.call.epochs.export_base_key", talkative)
    leaks = play.__wrapped__("lie-about-texts").leaks
    assert leaks
    assert {leak.partition(":")[0] for leak in leaks} == {"hex"}


def test_what_is_no_secret_is_not_taken_for_one() -> None:
    made = SecretsMade()
    made.note(bytes(32))
    made.note("short")
    assert len(made) == 0
    made.note(bytes(range(32)))
    assert made.leaked_in(f"{bytes(range(15)).hex()} {bytes(range(40, 80)).hex()}") == []
