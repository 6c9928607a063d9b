"""A delivery service that lies: what passes between client and service is changed on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from e2ee.call.chat.events import TextReceived
from e2ee.call.medium import Medium
from e2ee.conformance.peer.scenario import PAUSE, Stage, scenario
from e2ee.media.encoded_frame import Kind
from e2ee.mls.proposal import GroupContextExtensions
from e2ee.signalling import messages
from e2ee.signalling.messages import ServiceMessage
from e2ee.testing.hostile.disturbing import Disturbing, flipped
from e2ee.testing.hostile.proxy import honest

GROUP = "hostile-service"

TEXTS = 10


@scenario(GROUP, "CALL-15", "DS-9", "CHAT-1", "CALL-32", wire=True)
async def everything_changed_and_repeated(stage: Stage) -> None:
    """Everything comes changed first, then as it is, then twice more: the call takes place, and each text is shown once."""
    stage.wire.down = Disturbing()
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    for number in range(TEXTS):
        call.call.say(f"text {number}")
        await client.do("say", text=f"text {number}")
    for number in range(TEXTS):
        await client.told("chat", text=f"text {number}")
    await call.until(TextReceived, text=f"text {TEXTS - 1}")
    stage.expect(client.count("chat") == TEXTS, "showed a text twice")
    stage.expect(not client.count("ended"), "ended a call that goes on")


@scenario(GROUP, "CALL-3", "CALL-5", wire=True)
async def an_invitation_again(stage: Stage) -> None:
    """An invitation comes again after its call, under the number that it had and under others: it does not ring."""
    kept = list[messages.Invited]()

    def keep(name: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
        kept.extend([message] if isinstance(message, messages.Invited) and name == "client" else [])
        return (message,)

    stage.wire.down = keep
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    call.call.hang_up()  # type: ignore[union-attr]
    await client.told("ended", reason="done")
    for number in (kept[0].number, 0, 1 << 40):
        await stage.wire.inject(client.name, replace(kept[0], number=number))
    await stage.wire.clients[client.name].close()  # whatever number it believes in
    other = await stage.probe("other")
    await other.call(client.name, Medium.TEXT)
    await client.told("rings", account_id=other.name)
    stage.expect(client.count("rings") == 2, "rang for an invitation that came again")


@scenario(GROUP, "CALL-32", "KEYS-17", wire=True)
async def a_commit_that_nobody_made(stage: Stage) -> None:
    """The service shows as the log's what no member committed: the call goes on in its epoch."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    genuine = call.commit([])
    for data in (flipped(genuine), genuine[:-1] + bytes([genuine[-1] ^ 1]), b"", bytes(200)):
        await stage.wire.inject(client.name, messages.Committed(call.call.call_id, data))
    await stage.still_there(client, call)
    stage.expect(not client.count("epoch", epoch=3), "followed a commit that nobody made")


@scenario(GROUP, "CALL-32", "KEYS-11", wire=True)
async def a_commit_that_is_not_legal(stage: Stage) -> None:
    """The log has a commit that the peer made and that is not legal (it sets the profile again): the call ends with `protocol-error`."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    commit = call.commit([GroupContextExtensions(call.extensions)])
    await stage.wire.inject(client.name, messages.Committed(call.call.call_id, commit))
    await client.told("ended", reason="protocol-error")
    stage.expect(not client.count("epoch", epoch=3), "followed a commit that is not legal")


@scenario(GROUP, "CALL-8", "CALL-9", wire=True)
async def an_answer_that_the_caller_never_heard(stage: Stage) -> None:
    """The service takes the client's Answer and shows the caller nothing: the client ends the call, and was never live."""
    client, probe = await stage.client(), await stage.probe()

    def keep_back(name: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
        return (
            ()
            if name == "probe" and isinstance(message, messages.Committed) and rang
            else (message,)
        )

    rang = False
    await probe.call(client.name, Medium.TEXT)
    await client.told("rings", account_id=probe.name)
    rang = True
    stage.wire.down = keep_back
    await client.do("answer")
    await client.told("ended", reason="answer-failed")
    stage.expect(not client.count("connected"), "was live without the caller's word")


@scenario(GROUP, "IDENT-9", "CALL-2", wire=True)
async def somebody_elses_key_package(stage: Stage) -> None:
    """The service hands out another account's KeyPackages for the one that the client calls: nobody else rings."""
    client, probe = await stage.client(), await stage.probe()
    other = await stage.probe("other")

    def swap_asked(name: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
        if name == "client" and isinstance(message, messages.Claim):
            return (replace(message, account_id=other.name),)
        return (message,)

    def swap_given(name: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
        if name == "client" and isinstance(message, messages.KeyPackages):
            return (replace(message, account_id=probe.name),)
        return (message,)

    stage.wire.up, stage.wire.down = swap_asked, swap_given
    await client.do("call", account=probe.name, medium="text")
    await client.told("ended")
    stage.expect(
        other.client._calls.invitations.empty(), "called another account than it was asked to"
    )


@scenario(GROUP, "CALL-27", features=("media",), slow=True, wire=True)
async def commits_that_are_swallowed(stage: Stage) -> None:
    """The service swallows every commit: eleven minutes after the last one the client sends no frames any more, and says so."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe, Medium.VOICE)
    await call.sees(Kind.MICROPHONE, TEXTS)

    def swallow(_: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
        return () if isinstance(message, messages.Commit) else (message,)

    stage.wire.up = swallow
    await client.told("stopped")
    stage.journal.awaits("the client's frames to cease")
    before, now = -1, call.frames.count(Kind.MICROPHONE)
    while before != now:
        await asyncio.sleep(10 * PAUSE)
        before, now = now, call.frames.count(Kind.MICROPHONE)


@scenario(GROUP, "CALL-29", "CHAT-2", wire=True)
async def a_text_that_is_swallowed(stage: Stage) -> None:
    """The service swallows what the client says, and its connection breaks: it says it again over the next one."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    swallowed = list[ServiceMessage]()

    def swallow(name: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
        if name == "client" and isinstance(message, messages.Send):
            swallowed.append(message)
            return ()
        return (message,)

    stage.wire.up = swallow
    await client.do("say", text="do you hear me?")
    stage.journal.awaits("the client to send its text")
    while not swallowed:  # noqa: ASYNC110 - the wire has no event
        await asyncio.sleep(PAUSE)
    stage.wire.up = honest
    await stage.wire.clients[client.name].close()
    await call.until(TextReceived, text="do you hear me?")
