"""What members say to each other (DS-6), and who is told that a member is there (DS-11)."""

from __future__ import annotations

from dataclasses import replace

from e2ee.conformance.server.check import check
from e2ee.conformance.server.faults import expect
from e2ee.conformance.server.stage import Stage
from e2ee.conformance.server.talk import Talk, answered, ringing
from e2ee.mls.framing import WireFormat
from e2ee.signalling import messages


@check("DS-6", "DS-9")
async def what_a_member_says(stage: Stage) -> None:
    """It comes to all other members as it was said, in its order, and not back to who said it."""
    talk, alice, (phone, laptop) = await ringing(stage)
    for speaker, others in ((alice, (phone, laptop)), (phone, (alice, laptop))):
        said = [await talk.said(speaker, str(number).encode()) for number in range(3)]
        for other in others:
            heard = [await other.hear(messages.Sent) for _ in said]
            expect(heard, said, "what the others heard")
    await stage.quiet()
    for device in (alice, phone, laptop):
        expect(await device.take(), [], "what else came")


@check("DS-6", refused=True)
async def who_is_no_member(stage: Stage) -> None:
    """A stranger, a device of a member's account, and a removed one, each with a member's own message."""
    talk, alice, (bob, laptop) = await answered(stage, 2)
    mallory, tablet = await stage.device(), await stage.device(bob.account, 7)
    said = talk.say(alice)
    for device in (mallory, tablet, laptop):
        await device.refused(said, "NOT_A_MEMBER")
    await stage.quiet()
    expect(await bob.take(), [], "what came to the other member")
    await alice.ask(said, messages.Stored)
    expect(await bob.hear(messages.Sent), messages.Sent(talk.call_id, said.message), "sent")


@check("DS-6", "DS-27", "KEYS-5", refused=True)
async def what_is_no_application_data(stage: Stage) -> None:
    """A commit, a commit as a PrivateMessage, application data of another call or of an epoch long ago, or no message."""
    talk, alice, (bob,) = await answered(stage)
    elsewhere = Talk(stage)
    await elsewhere.open(alice, bob.account)
    private = talk.commit(alice, wire_format=WireFormat.PRIVATE_MESSAGE)
    for data, reasons in (
        (talk.request(alice).commit, ("WRONG_WIRE_FORMAT",)),
        (private.message.encode(), ("NOT_APPLICATION_DATA",)),
        (elsewhere.say(alice).message, ("WRONG_GROUP",)),
        (b"", ("TRUNCATED",)),
        (bytes(40), ()),
    ):
        await alice.refused(messages.Send(talk.call_id, data), *reasons)
    old = talk.say(alice)
    for _ in range(2):
        await talk.commits(alice)
    await alice.refused(old, "WRONG_EPOCH")
    await stage.quiet()
    heard = [each for each in await bob.take() if isinstance(each, messages.Sent)]
    expect(heard, [], "what came to the other member")


@check("DS-27")
async def what_was_said_as_an_epoch_ended(stage: Stage) -> None:
    """A message of the epoch before the newest is relayed: its sender had not seen the commit yet."""
    talk, alice, (bob,) = await answered(stage)
    late = talk.say(bob)
    await talk.commits(alice)
    await bob.ask(late, messages.Stored)
    expect(await alice.hear(messages.Sent), messages.Sent(talk.call_id, late.message), "sent")


@check("DS-7", refused=True)
async def more_bytes_than_are_relayed(stage: Stage) -> None:
    """4 KiB before somebody has answered, 1 MiB less 1 KiB afterwards."""
    talk, alice, (phone,) = await ringing(stage, 1)
    await alice.refused(talk.say(alice, bytes(4 << 10)), "TOO_MANY_BYTES")
    await talk.said(alice, bytes(3 << 10))
    await talk.commits(phone, *talk.answer(phone))
    await talk.follow(alice)
    await alice.refused(talk.say(alice, bytes((1 << 20) - 1024)), "TOO_MANY_BYTES")
    said = await talk.said(alice, bytes((1 << 20) - 1024 - 600))
    await phone.hear(messages.Sent)  # of the time before the answer
    expect(await phone.hear(messages.Sent), said, "sent")


@check("DS-11")
async def a_member_goes_and_comes_back(stage: Stage) -> None:
    """The other one is told both; who logs in is told who is away."""
    talk, alice, (bob,) = await answered(stage)
    leaf = talk.groups[bob.key].own_leaf_index
    await bob.leave()
    away = messages.Presence(talk.call_id, leaf, connected=False)
    expect(await alice.hear(messages.Presence), away, "presence")
    await bob.reconnect()
    there = replace(away, connected=True)
    expect(await alice.hear(messages.Presence), there, "presence")
    await bob.leave()
    expect(await alice.hear(messages.Presence), away, "presence")
    await alice.come_back()
    expect(await alice.hear(messages.Presence), away, "presence after a login")


@check("DS-11", refused=True)
async def presence_before_an_answer(stage: Stage) -> None:
    """Who rings does not learn when the callee's devices come and go; nor does the callee of the caller."""
    _, alice, (phone, laptop) = await ringing(stage)
    await phone.leave()
    await phone.reconnect()
    await laptop.leave()
    await stage.quiet()
    heard = [each for each in await alice.take() if isinstance(each, messages.Presence)]
    expect(heard, [], "presence at the caller")
    await alice.leave()
    await stage.quiet()
    heard = [each for each in await phone.take() if isinstance(each, messages.Presence)]
    expect(heard, [], "presence at the callee")
