"""What goes on in a call that has no trouble: texts, epochs, codes, and connections that come back."""

from __future__ import annotations

from e2ee.call.chat.events import TextReceived
from e2ee.call.events import EpochChanged
from e2ee.call.spoken_code import CodeReady
from e2ee.call.verification import Code
from e2ee.client.call import Connected
from e2ee.conformance.peer.scenario import Stage, scenario
from e2ee.signalling import messages

GROUP = "in-calls"
TEXTS = 5
SHORT = 1_500
"""Milliseconds after which a peer replaces its keys."""


@scenario(GROUP, "CHAT-1", "CHAT-3", "CALL-12")
async def texts_go_both_ways(stage: Stage) -> None:
    """Both say five texts: each is shown once, in order."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    for number in range(TEXTS):
        await client.do("say", text=f"from the client, {number}")
        call.call.say(f"from the peer, {number} \N{GRINNING FACE}")
    for number in range(TEXTS):
        await client.told("chat", text=f"from the peer, {number} \N{GRINNING FACE}")
    shown = call.events
    await shown.until_true(lambda: len(call.told(TextReceived)) >= TEXTS, "the client's texts")
    texts = [each.text for each in call.told(TextReceived)]
    stage.expect(texts == [f"from the client, {n}" for n in range(TEXTS)], f"said {texts}")
    stage.expect(client.count("chat") == TEXTS, "showed a text twice")


@scenario(GROUP, "KEYS-15", "CALL-11", "CALL-14")
async def the_peer_replaces_its_keys(stage: Stage) -> None:
    """The peer commits twice, early: the client follows to epochs 3 and 4, and says there that it is alive."""
    client, probe = await stage.client(), await stage.probe(epoch_lifetime=SHORT)
    call = await stage.in_call(client, probe)
    for epoch in (3, 4):
        changed = await call.until(EpochChanged, epoch=epoch)
        told = await client.told("epoch", epoch=epoch)
        same = told.get("call_code") == changed.call_code.replace(" ", "")
        stage.expect(same, f"has another call code than the peer in epoch {epoch}")
    await client.do("say", text="in the new epoch")
    await call.until(TextReceived, text="in the new epoch")


@scenario(GROUP, "CALL-14", "IDENT-12", "VERIFY-3", "VERIFY-5", features=("codes",))
async def codes_are_equal(stage: Stage) -> None:
    """Call code, safety number and spoken code are the same at both sides."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    codes = await client.do("compare")
    for name, own in (
        ("call_code", call.call.call_code),
        ("safety_number", call.call.safety_number),  # type: ignore[union-attr]
    ):
        shown = str(codes.get(name, "")).replace(" ", "")
        stage.expect(shown == own.replace(" ", ""), f"shows another {name.replace('_', ' ')}")
    call.call.begin_code()
    await client.do("begin_code")
    code: Code = (await call.until(CodeReady)).code
    told = await client.told("code")
    stage.expect(told.get("digits") == code.digits, "shows another spoken code")


@scenario(GROUP, "DS-9", "CALL-29", "CHAT-1", wire=True)
async def the_client_comes_back_to_the_service(stage: Stage) -> None:
    """The client's connection to the service breaks in a call: it logs in again, and gets what was said meanwhile."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    await stage.wire.clients[client.name].close()
    await stage.still_there(client, call, "while you were away")
    await client.do("say", text="back again")
    await call.until(TextReceived, text="back again")


@scenario(GROUP, "SIG-2", "DS-9", "CHAT-1", wire=True)
async def the_client_survives_junk_from_the_service(stage: Stage) -> None:
    """The service sends bytes that are no message, and one that is encoded otherwise than it must be: the call goes on."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    for number, junk in enumerate((b"\xc1", bytes(300), b"\x92\xa6stored\xd9\x04send")):
        await stage.wire.inject(client.name, junk)
        await stage.still_there(client, call, f"after junk {number}")
    await client.do("say", text="unharmed")
    await call.until(TextReceived, text="unharmed")


@scenario(GROUP, "CALL-20", "CALL-13", "CALL-15")
async def after_the_end_nothing_is_heard(stage: Stage) -> None:
    """The peer hangs up and goes on talking: the client shows nothing of it, and takes the next call."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    call.whisper(messages.Hangup("done", ""))
    call.whisper(messages.Chat(1, "one more thing"))
    await client.told("ended", reason="done")
    second = await stage.probe("second")
    other = await second.call(client.name, call.call.medium)  # type: ignore[union-attr]
    await client.answers(second.name, call.call.medium)  # type: ignore[union-attr]
    await other.until(Connected)
    other.call.say("and again")
    await client.told("chat", text="and again")
    stage.expect(client.count("chat") == 1, "showed what was said after the end")
