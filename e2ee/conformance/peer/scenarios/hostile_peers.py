"""A member that says what it must not: refused, without an effect, and the call goes on (CALL-15)."""

from __future__ import annotations

from e2ee.conformance.peer.scenario import Stage, scenario
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.signalling.wire import encode

GROUP = "hostile-peers"

UNDUE: tuple[CallMessage, ...] = (
    messages.Accepted("v=0"),
    messages.AnswerDescription("v=0"),
    messages.Ringing(),
    messages.Busy(),
    messages.Offer(0, "text"),
    messages.Reconnected(7, "v=0"),
    messages.Hangup("cancelled", ""),
    messages.Hangup("timeout", ""),
    messages.Hangup("declined", "as if it still rang"),
    messages.Hangup("because", ""),
    messages.Hangup("done", "with a text"),
)
"""None of them belongs into a call that is live, or to its caller."""


@scenario(GROUP, "CALL-15", "CALL-20", "CALL-28")
async def answers_in_the_wrong_state(stage: Stage) -> None:
    """The caller says in the call what belongs before it, and ends it with reasons that are no reasons there."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    for number, message in enumerate(UNDUE):
        call.whisper(message)
        await stage.still_there(client, call, f"after {message.name} {number}")


@scenario(GROUP, "SIG-2", "CHAT-1")
async def what_is_encoded_otherwise(stage: Stage) -> None:
    """A text comes in an encoding that is not the one encoding, then properly: only the second one is shown."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    proper = encode(messages.Chat(1, "twice"))
    for changed in (_with_a_longer_number(proper), proper + b"\x00", proper[:-1]):
        call.whisper(changed)
    call.call.say("once")
    shown = await client.told("chat", unless="ended")
    stage.expect(shown.get("text") == "once", "showed a text that is not encoded as it must be")


def _with_a_longer_number(chat: bytes) -> bytes:
    """MessagePack's one-byte 1 behind the name becomes the two bytes of an uint8."""
    return chat.replace(b"chat\x01", b"chat\xcc\x01")


@scenario(GROUP, "CHAT-1", "CHAT-3")
async def texts_that_are_none(stage: Stage) -> None:
    """Texts with a number again, without a byte, with control characters: only honest ones are shown."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    call.whisper(messages.Chat(1, "one"))
    await client.told("chat", text="one")
    for number, text in ((1, "one again"), (0, "zero"), (2, ""), (2, "\x1b[2J"), (2, "a\x00b")):
        call.whisper(messages.Chat(number, text))
    call.whisper(messages.Chat(2, "two"))
    await client.told("chat", text="two")
    stage.expect(client.count("chat") == 2, "showed a text that must be refused")
    stage.expect(not client.count("ended"), "ended a call that goes on")


@scenario(GROUP, "VERIFY-3", "VERIFY-7", features=("codes",))
async def a_code_that_was_chosen(stage: Stage) -> None:
    """The peer shows other bytes than it committed to: the client shows no code."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    call.whisper(messages.CodeCommit(1, bytes(32)))
    await client.do("begin_code")
    call.whisper(messages.CodeReveal(1, bytes(32)))
    await stage.still_there(client, call)
    stage.expect(not client.count("code"), "showed a code that the other side has chosen")
