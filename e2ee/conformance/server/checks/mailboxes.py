"""What is kept for a device until it has taken it (DS-9)."""

from __future__ import annotations

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Device
from e2ee.conformance.server.faults import claim, expect
from e2ee.conformance.server.stage import Stage
from e2ee.conformance.server.talk import Talk, answered, ringing
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService

IN_FLIGHT, MAILBOX, SHARE = 500, 2000, 250
"""DS-7: messages that are not acknowledged, that a mailbox holds, that one account may leave in it unasked."""


def _kept(arrived: list[FromService]) -> list[FromService]:
    """Without what is in no mailbox."""
    return [each for each in arrived if not isinstance(each, messages.Presence)]


@check("DS-9")
async def it_waits_for_a_device_that_is_away(stage: Stage) -> None:
    """Ring, messages and commit wait in their order, and all of it comes before anything newer; numbers rise by one."""
    alice, bob = await stage.device(), await stage.device(key_packages=1)
    await bob.leave()
    talk = Talk(stage)
    request = await talk.ring(alice, bob.account)
    said = [await talk.said(alice, str(number).encode()) for number in range(4)]
    arrived = _kept(await bob.reconnect())
    invited = messages.Invited(talk.call_id, request.welcome or b"", request.offer or b"")
    expect(arrived, [invited, *said], "what waited")
    newer = await talk.said(alice, b"newer")
    expect(await bob.hear(messages.Sent), newer, "what is newer")
    expect(bob.line.numbers, [1, 2, 3, 4, 5, 6], "numbers")


@check("DS-9")
async def what_is_not_acknowledged_comes_again(stage: Stage) -> None:
    """After each login, under the same numbers, until it is acknowledged: all up to a number, and what is above stays."""
    talk, alice, (bob,) = await ringing(stage, 1)
    said = [await talk.said(alice, str(number).encode()) for number in range(3)]
    for _ in range(2):
        arrived = _kept(await bob.reconnect())
        expect(arrived[1:], said, "what came again")
        expect(bob.line.numbers, [1, 2, 3, 4], "its numbers")
    await bob.accepted(messages.Acknowledge(2))
    expect(_kept(await bob.reconnect()), said[1:], "what was above the number")
    expect(bob.line.numbers, [3, 4], "its numbers")
    await bob.accepted(messages.Acknowledge(4))
    expect(_kept(await bob.reconnect()), [], "what is left")
    newest = await talk.said(alice, b"newest")
    expect(await bob.hear(messages.Sent), newest, "what comes then")
    expect(bob.line.numbers, [5], "a number that was used before")


@check("DS-9", refused=True)
async def a_number_that_was_not_given(stage: Stage) -> None:
    """It is refused, and acknowledges nothing of what there is."""
    talk, alice, (bob,) = await ringing(stage, 1)
    said = await talk.said(alice)
    for number in (3, 1 << 40, (1 << 64) - 1):
        await bob.refused(messages.Acknowledge(number), "NOT_SENT")
    await alice.refused(messages.Acknowledge(2), "NOT_SENT")
    expect(_kept(await bob.reconnect())[1:], [said], "what is there still")


@check("DS-9", refused=True)
async def what_nobody_keeps(stage: Stage) -> None:
    """Answers of the service, presence and refusals have no number, and do not come again."""
    talk, alice, (bob,) = await answered(stage)
    await talk.said(alice)
    await alice.refused(messages.Find("nobody-of-this-name"), "UNKNOWN_ACCOUNT")
    await alice.accepted(messages.Acknowledge(max(alice.line.numbers)))
    await bob.leave()
    await alice.hear(messages.Presence)
    expect(_kept(await alice.reconnect()), [], "what came again")


@check("DS-9", "DS-7", refused=True)
async def a_stranger_s_share_of_a_mailbox(stage: Stage) -> None:
    """Who rings and sends without end fills an eighth of the mailbox; another account's call still comes."""
    mallory, alice = await stage.device(), await stage.device()
    bob = await stage.device(key_packages=2)
    await bob.leave()
    talk = Talk(stage)
    await talk.ring(mallory, bob.account)
    for _ in range(SHARE - 1):
        await talk.said(mallory, b"")
    await mallory.refused(talk.say(mallory), "MAILBOX_FULL")
    other = Talk(stage)
    await other.ring(alice, bob.account)
    arrived = _kept(await bob.reconnect())
    expect(len(arrived), SHARE + 1, "messages in the mailbox")
    claim(isinstance(arrived[-1], messages.Invited), "the other account's call did not come")


@check("DS-9", "DS-7")
async def no_more_than_a_connection_takes(stage: Stage) -> None:
    """500 messages are sent without an acknowledgement; the next ones follow when these are acknowledged, in their order."""
    talk, alice, (bob,) = await answered(stage)
    await bob.accepted(messages.Acknowledge(max(bob.line.numbers)))
    said = [await talk.said(alice, b"") for _ in range(IN_FLIGHT + 20)]
    await stage.quiet()
    first = _kept(await bob.take())
    expect(first, said[:IN_FLIGHT], "what came unacknowledged")
    await bob.line.tell(messages.Acknowledge(bob.line.numbers[-1]))
    rest = [await bob.hear(messages.Sent) for _ in said[IN_FLIGHT:]]
    expect(rest, said[IN_FLIGHT:], "what followed")


@check("DS-9", "DS-7", refused=True, slow=True)
async def a_mailbox_that_is_full(stage: Stage) -> None:
    """In a call, three quarters of 2,000 messages for a device that is away: the next is refused, and a commit is taken."""
    talk, alice, (bob,) = await answered(stage)
    await bob.leave()
    await alice.hear(messages.Presence)
    taken = await _fill(talk, alice)
    claim(taken <= MAILBOX * 3 // 4, f"{taken} messages were kept for a device that takes none")
    await talk.commits(alice)


async def _fill(talk: Talk, device: Device) -> int:
    for taken in range(MAILBOX):
        arrived = await device.send(talk.say(device, b""))
        if any(isinstance(each, messages.Refused) for each in arrived):
            return taken
    return MAILBOX
