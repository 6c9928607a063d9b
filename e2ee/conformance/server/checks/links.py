"""What a primary seals for a new device of its account (DS-15, IDENT-17)."""

from __future__ import annotations

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Device
from e2ee.conformance.server.faults import expect
from e2ee.conformance.server.stage import Stage
from e2ee.signalling import messages

STORED = messages.Stored("link", None)


async def _waiting(stage: Stage, link_id: bytes) -> Device:
    """A new device that has said hello, and waits."""
    device = await stage.stranger()
    await device.hello()
    await device.accepted(messages.AwaitLink(link_id))
    return device


async def _left(device: Device, link_id: bytes, sealed: bytes = b"sealed") -> None:
    expect(await device.ask(messages.Link(link_id, sealed), messages.Stored), STORED, "stored")


@check("DS-15")
async def who_waits_gets_it_at_once(stage: Stage) -> None:
    """A device that is not logged in waits under an id; what is sealed for it comes."""
    alice, link_id = await stage.device(), stage.call_id()
    new = await _waiting(stage, link_id)
    await _left(alice, link_id)
    expect(await new.hear(messages.Linked), messages.Linked(link_id, b"sealed"), "linked")


@check("DS-15", "DS-9")
async def who_comes_later_finds_it(stage: Stage) -> None:
    """What was sealed first is kept, also when who brought it is gone."""
    alice, link_id = await stage.device(), stage.call_id()
    await _left(alice, link_id)
    await alice.leave()
    new = await stage.stranger()
    await new.hello()
    linked = await new.ask(messages.AwaitLink(link_id), messages.Linked)
    expect(linked, messages.Linked(link_id, b"sealed"), "linked")


@check("DS-15", refused=True)
async def it_is_given_once(stage: Stage) -> None:
    """Who asks a second time, or under another id, gets nothing."""
    alice, link_id = await stage.device(), stage.call_id()
    await _left(alice, link_id)
    first = await stage.stranger()
    await first.hello()
    await first.ask(messages.AwaitLink(link_id), messages.Linked)
    late, other = await _waiting(stage, link_id), await _waiting(stage, stage.call_id())
    await stage.quiet()
    for device in (first, late, other):
        expect(await device.take(), [], "what came")


@check("DS-15", refused=True)
async def an_id_under_which_something_is_kept(stage: Stage) -> None:
    """It is refused, and what was first is given."""
    alice, mallory, link_id = await stage.device(), await stage.device(), stage.call_id()
    await _left(alice, link_id, b"first")
    for device in (mallory, alice):
        await device.refused(messages.Link(link_id, b"second"), "LINK_ID_USED")
    new = await stage.stranger()
    await new.hello()
    linked = await new.ask(messages.AwaitLink(link_id), messages.Linked)
    expect(linked.sealed, b"first", "sealed")


@check("DS-1", "DS-29", "DS-7", refused=True)
async def who_may_not_wait_or_leave_something(stage: Stage) -> None:
    """Before hello nobody waits, before login nobody leaves anything; beyond 4 ids, 8 links and 64 KiB nobody does."""
    alice, stranger = await stage.device(), await stage.stranger()
    await stranger.refused(messages.AwaitLink(stage.call_id()), "NOT_GREETED")
    await stranger.hello()
    await stranger.refused(messages.Link(stage.call_id(), b"sealed"), "NOT_LOGGED_IN")
    for _ in range(4):
        await stranger.accepted(messages.AwaitLink(stage.call_id()))
    await stranger.refused(messages.AwaitLink(stage.call_id()), "TOO_MANY_LINKS")
    long = messages.Link(stage.call_id(), bytes((64 << 10) + 1))
    await alice.refused(long, "TOO_MANY_BYTES")
    for _ in range(8):
        await _left(alice, stage.call_id(), bytes(64 << 10))
    await alice.refused(messages.Link(stage.call_id(), b"sealed"), "TOO_MANY_LINKS")
