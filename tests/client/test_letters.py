"""What is left for who is not there: a missed call, a note, a voice message; and that nothing comes twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from e2ee.call.events import Calling, EndReason, LetterReceived, LetterStored, Missed
from e2ee.client.client import Client
from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.client.media import Media
from e2ee.client.profile import Profile
from e2ee.rtc.sources import FileSource, Tone
from e2ee.rtc.voice_message import record_voice, write_voice
from e2ee.signalling.messages import MissedCall, Note, VoiceMessage
from tests.client.conftest import Platform
from tests.client.watching import ending, in_a_call, until

Tell = Callable[..., None]

LONG = 120_000
"""Milliseconds after which nobody rings for an invitation any more (CALL-3)."""


async def has_been_there(platform: Platform, name: str) -> None:
    """Whoever it is leaves KeyPackages at the service."""
    async with platform.client(name):
        pass


@pytest.mark.requirement("LETTER-11")
def test_who_was_away_finds_out_who_called(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        await has_been_there(platform, "bob")
        async with platform.client("alice") as alice:
            call = alice.call("bob", Media())
            await until(call, Calling)
            call.hang_up()
            assert (await ending(call)).reason is EndReason.CANCELLED
            await until(alice, LetterStored)
        platform.advanced += LONG
        async with platform.client("bob") as bob:
            received = await until(bob, LetterReceived)
            assert received.sender.account_id == "alice"
            assert isinstance(received.message, MissedCall)
            assert received.message.call_id == call.call_id
            assert bob._calls.invitations.empty()

    tell(story)


@pytest.mark.requirement("CALL-3")
def test_who_comes_online_in_time_is_rung(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        await has_been_there(platform, "bob")
        async with platform.client("alice") as alice:
            call = alice.call("bob", Media())
            async with platform.client("bob") as bob:
                invitation = await bob.invitation()
                call.hang_up()
                await invitation.over()
                assert (await until(bob, Missed)).reason is EndReason.CANCELLED

    tell(story)


@pytest.mark.requirement("LETTER-1")
def test_a_note_and_a_voice_message_are_left_and_found(tell: Tell, tmp_path: Path) -> None:
    async def story(platform: Platform) -> None:
        await has_been_there(platform, "bob")
        async with platform.client("alice") as alice:
            await alice.leave_note("bob", "call me back")
            audio = await record_voice(Tone(440), 0.3)
            await alice.leave_voice_message("bob", audio)
        async with platform.client("bob") as bob:
            note, spoken = await until(bob, LetterReceived), await until(bob, LetterReceived)
            assert isinstance(note.message, Note)
            assert note.message.text == "call me back"
            assert isinstance(spoken.message, VoiceMessage)
            write_voice(spoken.message.audio, tmp_path / "message.ogg")
        source = FileSource(tmp_path / "message.ogg")
        assert source.audio is not None
        await source.audio.recv()
        await source.close()

    tell(story)


def test_no_letter_is_left_for_nobody(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice:
            with pytest.raises(ClientUsageError) as refused:
                await alice.leave_note("nobody", "hello?")
            assert refused.value.reason is ClientReason.NOT_POSTED

    tell(story)


@pytest.mark.requirement("LETTER-8", "DS-9")
def test_a_device_on_disk_is_the_same_device_and_shows_nothing_twice(
    tell: Tell, tmp_path: Path
) -> None:
    async def session(platform: Platform, then: Callable[[Client], object]) -> tuple[bytes, int]:
        with Profile.open(tmp_path / "bob" / "profile") as platform.profiles["bob"]:
            async with platform.client("bob") as bob:
                await then(bob)  # type: ignore[misc]
            keys = platform.profiles["bob"].keys
            return keys.signing_key.public, len(keys.key_packages().bundles())

    async def read_one(bob: Client) -> None:
        received = await until(bob, LetterReceived)
        assert isinstance(received.message, Note)
        read.append(received.message.text)

    async def story(platform: Platform) -> None:
        first = await session(platform, in_silence)
        async with platform.client("alice") as alice:
            await alice.leave_note("bob", "one")
            second = await session(platform, read_one)
            await alice.leave_note("bob", "two")
            third = await session(platform, read_one)
            assert read == ["one", "two"]
            assert first[0] == second[0] == third[0]
            assert first[1] > 0

            async def answer(bob: Client) -> None:
                call, answered = await in_a_call(alice, bob)
                assert bob.trust.contact("alice").account_key is not None
                call.hang_up()
                await answered.ended()

            await session(platform, answer)

    async def in_silence(_: Client) -> None:
        pass

    read: list[str] = []
    (tmp_path / "bob").mkdir(mode=0o700)
    tell(story)
