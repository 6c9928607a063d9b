"""Who calls whom, and how it ends: without media, so that any client can."""

from __future__ import annotations

import asyncio

from e2ee.call.end_reason import EndReason
from e2ee.call.events import BusyThere, Calling, Ended, RingsThere
from e2ee.call.medium import Medium
from e2ee.client.call import Connected
from e2ee.conformance.peer.scenario import Stage, scenario

GROUP = "ringing"


@scenario(GROUP, "IDENT-14", "DS-2", "CALL-17")
async def the_client_registers_and_is_found(stage: Stage) -> None:
    """The client registers; the peer finds its devices, calls, hears that it rings, and takes the call back."""
    client, probe = await stage.client(), await stage.probe()
    call = await probe.call(client.name, Medium.TEXT)
    await client.told("rings", account_id=probe.name, medium="text")
    await call.until(RingsThere)
    call.call.hang_up()  # type: ignore[union-attr]
    await client.told("ended", reason="cancelled")


@scenario(GROUP, "CALL-1", "CALL-2", "CALL-3", "CALL-7", "CALL-9", "CALL-13")
async def the_client_calls(stage: Stage) -> None:
    """The client calls, the peer answers, both say something, and the peer hangs up."""
    client, probe = await stage.client(), await stage.probe()
    await client.do("call", account=probe.name, medium="text")
    call = probe.answer(await probe.rung())
    await call.until(Connected)
    await client.told("connected")
    await stage.still_there(client, call)
    call.call.hang_up()  # type: ignore[union-attr]
    await client.told("ended", reason="done")


@scenario(GROUP, "CALL-4", "CALL-7", "CALL-9", "CALL-13", "CALL-17")
async def the_peer_calls(stage: Stage) -> None:
    """The peer calls, the client rings, answers and hangs up."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    await call.until(RingsThere)
    await stage.still_there(client, call)
    await client.do("hang_up")
    ended = await call.until(Ended)
    stage.expect(ended.reason is EndReason.DONE, f"hung up with {ended.reason}, not done")
    await client.told("ended", reason="done")


@scenario(GROUP, "CALL-2", "CALL-8", "CALL-10", "KEYS-11")
async def two_devices_answer_the_client(stage: Stage) -> None:
    """The client calls an account with two devices: both ring, both answer at once, and one of them is in the call."""
    client, first = await stage.client(), await stage.probe()
    second = await stage.second_device(first)
    await client.do("call", account=first.name, medium="text")
    invitations = [await each.rung() for each in (first, second)]
    calls = [
        probe.answer(invitation)
        for probe, invitation in zip((first, second), invitations, strict=True)
    ]
    await client.told("connected")
    await asyncio.gather(*(call.events.until_any(Connected, Ended) for call in calls))
    live = [call for call in calls if call.told(Connected)]
    stage.expect(len(live) == 1, f"is in a call with {len(live)} devices")
    await stage.still_there(client, live[0])


@scenario(GROUP, "CALL-13", "CALL-20")
async def the_client_declines_with_a_text(stage: Stage) -> None:
    """The peer calls; the client declines, and says why."""
    client, probe = await stage.client(), await stage.probe()
    call = await probe.call(client.name, Medium.TEXT)
    await client.told("rings", account_id=probe.name)
    await client.do("decline", text="in a meeting")
    ended = await call.until(Ended)
    found = ended.reason, ended.text
    wanted = EndReason.DECLINED, "in a meeting"
    await client.told("ended", reason="declined")
    stage.expect(found == wanted, f"declined as {found[0]} with {found[1]!r}")


@scenario(GROUP, "CALL-13", "CALL-20")
async def the_peer_declines_with_a_text(stage: Stage) -> None:
    """The client calls; the peer declines, and the client tells its person the text."""
    client, probe = await stage.client(), await stage.probe()
    await client.do("call", account=probe.name, medium="voice")
    (await probe.rung()).decline("not now")
    ended = await client.told("ended", reason="declined")
    stage.expect(ended.get("text") == "not now", f"shows the text {ended.get('text')!r}")


@scenario(GROUP, "CALL-16", "CALL-20")
async def the_client_takes_its_call_back(stage: Stage) -> None:
    """The client calls, the peer rings, and the client hangs up before anybody answers."""
    client, probe = await stage.client(), await stage.probe()
    await client.do("call", account=probe.name, medium="text")
    invitation = await probe.rung()
    await client.do("hang_up")
    stage.journal.awaits("the client to say that it cancelled")
    over = await invitation.over()
    stage.expect(over.reason is EndReason.CANCELLED, f"took its call back with {over.reason}")


@scenario(GROUP, "CALL-18")
async def a_second_caller_hears_busy(stage: Stage) -> None:
    """The client is in a call; somebody else calls, and is told that it is busy; the call goes on."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe)
    second = await stage.probe("second")
    other = await second.call(client.name, Medium.TEXT)
    await other.events.until_any(BusyThere, RingsThere)
    stage.expect(not other.told(RingsThere), "rings although it is in a call")
    await other.until(Ended, reason=EndReason.BUSY)
    await stage.still_there(client, call)
    stage.expect(client.count("rings") == 1, "rang for a second call")


@scenario(GROUP, "CALL-19", "CALL-20")
async def nobody_answers_the_peer(stage: Stage) -> None:
    """The peer calls, and its patience ends (at once, by a clock of its own): the client rings no more."""
    client, probe = await stage.client(), await stage.probe()
    call = await probe.call(client.name, Medium.TEXT)
    await client.told("rings", account_id=probe.name)
    await call.until(RingsThere)
    probe.patience_ends(61_000)
    await client.told("ended", reason="timeout")


@scenario(GROUP, "CALL-19", slow=True)
async def nobody_answers_the_client(stage: Stage) -> None:
    """The client calls, and nobody answers: it gives up after a minute, and says so."""
    client, probe = await stage.client(), await stage.probe()
    await client.do("call", account=probe.name, medium="text")
    invitation = await probe.rung()
    await client.told("ended", reason="timeout")
    stage.journal.awaits("the client to say that its patience ended")
    over = await invitation.over()
    stage.expect(over.reason is EndReason.TIMEOUT, f"gave up with {over.reason}")


@scenario(GROUP, "CALL-22", "CALL-5", features=("block",))
async def who_is_blocked_does_not_ring(stage: Stage) -> None:
    """The client blocks the peer, which calls, and hears nothing; somebody else calls, and is heard."""
    client, blocked = await stage.client(), await stage.probe("blocked")
    friend = await stage.probe("friend")
    await client.do("block", account=blocked.name)
    unheard = await blocked.call(client.name, Medium.TEXT)
    await unheard.until(Calling)
    heard = await friend.call(client.name, Medium.TEXT)
    rang = await client.told("rings")
    stage.expect(rang.get("account_id") == friend.name, "rang for somebody who is blocked")
    await heard.until(RingsThere)
    stage.expect(not unheard.told(RingsThere), "told somebody who is blocked that it rings")
    stage.expect(not unheard.told(BusyThere), "told somebody who is blocked that it is busy")


@scenario(GROUP, "CALL-3", "CALL-5")
async def an_invitation_of_yesterday_does_not_ring(stage: Stage) -> None:
    """A peer whose clock is ten minutes behind calls, and hears nothing; another one calls, and is heard."""
    client, late = await stage.client(), await stage.probe("late", ahead=-600_000)
    friend = await stage.probe("friend")
    unheard = await late.call(client.name, Medium.TEXT)
    await unheard.until(Calling)
    heard = await friend.call(client.name, Medium.TEXT)
    rang = await client.told("rings")
    stage.expect(rang.get("account_id") == friend.name, "rang for an invitation that is too old")
    await heard.until(RingsThere)
    stage.expect(not unheard.told(RingsThere), "answered an invitation that is too old")
