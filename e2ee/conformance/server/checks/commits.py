"""Which commit is an epoch's, and what comes with it (DS-4, DS-5; KEYS-11 to KEYS-13 as far as public bytes show it)."""

from __future__ import annotations

from dataclasses import replace

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Device
from e2ee.conformance.server.faults import Fault, claim, expect
from e2ee.conformance.server.stage import Stage
from e2ee.conformance.server.talk import Talk, answered, ringing
from e2ee.mls.framing import WireFormat
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, Remove
from e2ee.mls.public_message import PublicMessage
from e2ee.signalling import messages


@check("DS-4", "DS-5", "KEYS-11")
async def a_call_is_rung_answered_and_goes_on(stage: Stage) -> None:
    """Each of the callee's devices is invited, one answers, the others learn that they are removed, and either side commits."""
    talk, alice, (phone, laptop) = await ringing(stage)
    committed = await talk.commits(phone, *talk.answer(phone))
    for device in (alice, laptop):
        entry = await device.hear(messages.Committed)
        expect(entry, committed, "the Answer, at others")
        removed = talk.apply(device, entry).removes_own_leaf
        expect(removed, device is laptop, "whether it removes this device")
    for device, other in ((alice, phone), (phone, alice)):
        committed = await talk.commits(device)
        expect(await other.hear(messages.Committed), committed, "committed")
        talk.apply(other, committed)
    await stage.quiet()
    expect(await laptop.take(), [], "what came to the removed device")


@check("DS-5")
async def invited_with_the_offer(stage: Stage) -> None:
    """What comes to the callee is the Welcome and the offer of the request, under one number."""
    alice, bob = await stage.device(), await stage.device(key_packages=1)
    talk = Talk(stage)
    request = await talk.ring(alice, bob.account)
    invited = await bob.hear(messages.Invited)
    due = messages.Invited(talk.call_id, request.welcome or b"", request.offer or b"")
    expect(invited, due, "invited")
    expect(bob.line.numbers, [1], "numbers of the mailbox")


@check("DS-4", "DS-28", refused=True)
async def the_second_commit_of_an_epoch(stage: Stage) -> None:
    """Two devices answer at once, over two connections: one is first, the other is refused, and all see the same."""
    talk, alice, bobs = await ringing(stage, 3)
    racing = bobs[:2]
    requests = [talk.request(each, *talk.answer(each)) for each in racing]
    for device, request in zip(racing, requests, strict=True):
        await device.line.tell(request)
    arrived = [await each.take() for each in racing]
    taken = [messages.Committed(talk.call_id, request.commit) for request in requests]
    winners = {each.commit for at in arrived for each in at if isinstance(each, messages.Committed)}
    expect(len(winners), 1, "commits that were taken")
    winner = next(each for each in taken if each.commit in winners)
    refusals = [each for at in arrived for each in at if isinstance(each, messages.Refused)]
    expect([each.reason for each in refusals], ["WRONG_EPOCH"], "reasons of refusals")
    for device in (alice, bobs[2]):
        expect(await device.hear(messages.Committed), winner, "committed")
    await stage.quiet()
    expect(await alice.take(), [], "what else came to the caller")


@check("DS-4", refused=True)
async def a_commit_a_second_time(stage: Stage) -> None:
    """The same request again, by its committer and by another member."""
    talk, alice, (bob,) = await answered(stage)
    request = talk.request(alice)
    await alice.committed(request)
    for device in (alice, bob):
        await device.refused(request, "WRONG_EPOCH")


@check("DS-4", refused=True)
async def somebody_else_s_commit(stage: Stage) -> None:
    """Over the connection of another member, of a removed one, of a stranger; then over the committer's own it is taken."""
    talk, alice, (bob, laptop) = await answered(stage, 2)
    mallory = await stage.device()
    request = talk.request(alice)
    await bob.refused(request, "NOT_THE_COMMITTER")
    await laptop.refused(request, "NOT_A_MEMBER")
    await mallory.refused(request, "NOT_A_MEMBER")
    await alice.committed(request)


@check("DS-4", "KEYS-5", "KEYS-4", refused=True)
async def a_commit_that_is_none(stage: Stage) -> None:
    """Its signature is forged, it is a PrivateMessage, a byte of it is changed, or it is for another call: the epoch stays."""
    talk, alice, (bob,) = await answered(stage)
    request = talk.request(alice)
    message = MLSMessage.decode(request.commit).body
    if not isinstance(message, PublicMessage):
        raise Fault("no PublicMessage was made")
    forged = replace(message, auth=replace(message.auth, signature=bytes(64)))
    await alice.refused(replace(request, commit=MLSMessage.of(forged).encode()), "CONTENT_SIGNATURE")  # fmt: skip
    hidden = talk.request(alice, wire_format=WireFormat.PRIVATE_MESSAGE)
    await alice.refused(hidden, "WRONG_WIRE_FORMAT")
    commit, tags = request.commit, 33 + 33
    for position in range(0, len(commit) - tags, len(commit) // 12):
        changed = commit[:position] + bytes([commit[position] ^ 1]) + commit[position + 1 :]
        await alice.refused(replace(request, commit=changed))
    elsewhere = Talk(stage)
    await elsewhere.open(alice, bob.account)
    await alice.refused(replace(request, call_id=elsewhere.call_id), "WRONG_GROUP")
    await stage.quiet()
    expect(await bob.take(), [], "what came to the other member")
    await alice.committed(request)


@check("KEYS-11", "DS-4", refused=True)
async def a_commit_that_no_call_has(stage: Stage) -> None:
    """What MLS allows and a call does not: before and after the answer."""
    talk, alice, (phone, laptop) = await ringing(stage)
    await alice.refused(talk.request(alice), "ILLEGAL_COMMITTER")
    await phone.refused(talk.request(phone), "ILLEGAL_PROPOSAL")
    await phone.refused(talk.request(phone, Remove(0)), "ILLEGAL_PROPOSAL")
    everybody = talk.request(phone, Remove(0), *talk.answer(phone))
    await phone.refused(everybody, "ILLEGAL_PROPOSAL")
    await talk.commits(phone, *talk.answer(phone))
    await talk.follow(alice)
    await alice.refused(talk.request(alice, Remove(talk.groups[phone.key].own_leaf_index)), "ILLEGAL_PROPOSAL")  # fmt: skip
    pending = talk.commit(alice, Add(laptop.bundle().key_package))
    welcome = pending.welcome.encode() if pending.welcome else b""
    adding = messages.Commit(talk.call_id, pending.message.encode(), welcome, None)
    await alice.refused(adding, "ILLEGAL_PROPOSAL", "WELCOME_MISSING")
    await talk.commits(alice)


@check("KEYS-12", refused=True)
async def a_commit_without_a_path(stage: Stage) -> None:
    """An invitation whose commit has no UpdatePath, which MLS allows: nobody is rung."""
    talk, alice, (bob,), key_packages = await _opened(stage, 1)
    pending = talk.commit(alice, *map(Add, key_packages), update_path=False)
    welcome = pending.welcome.encode() if pending.welcome else b""
    bare = messages.Commit(talk.call_id, pending.message.encode(), welcome, b"offer")
    await alice.refused(bare, "NO_PATH")
    await stage.quiet()
    expect(await bob.take(), [], "what came to the callee")


@check("KEYS-13", "DS-4", refused=True)
async def a_commit_of_other_parts(stage: Stage) -> None:
    """With ``authenticated_data``; and one that says what only an epoch before could."""
    talk, alice, (_,) = await answered(stage)
    told = talk.request(alice, authenticated_data=b"statement")
    await alice.refused(told, "UNEXPECTED_AUTHENTICATED_DATA")
    late = talk.request(alice)
    await talk.commits(alice)
    await alice.refused(late, "WRONG_EPOCH")


async def _opened(
    stage: Stage, devices: int
) -> tuple[Talk, Device, list[Device], list[KeyPackage]]:
    """A call that is open, and the KeyPackages of all devices that are to be rung."""
    alice, bobs = await stage.device(), await stage.devices(devices, key_packages=1)
    talk = Talk(stage)
    await talk.open(alice, bobs[0].account)
    return talk, alice, bobs, await alice.claim(bobs[0].account)


@check("DS-5", refused=True)
async def half_an_invitation(stage: Stage) -> None:
    """Without the Welcome, without the offer, or with the Welcome of fewer: nobody is rung, and whole it is taken."""
    talk, alice, bobs, key_packages = await _opened(stage, 2)
    fewer = talk.commit(alice, Add(key_packages[0])).welcome
    request, talk.groups[alice.key] = talk.invitation(alice, key_packages)
    await alice.refused(replace(request, welcome=None), "WELCOME_MISSING")
    await alice.refused(replace(request, offer=None), "WELCOME_MISSING")
    for_one = fewer.encode() if fewer else b""
    await alice.refused(replace(request, welcome=for_one), "WELCOME_MISMATCH")
    await alice.refused(replace(request, welcome=request.commit), "WRONG_WIRE_FORMAT")
    await stage.quiet()
    for bob in bobs:
        expect(await bob.take(), [], "what came to the callee")
    await alice.committed(request)
    for bob in bobs:
        await talk.take_up(bob)


@check("DS-5", refused=True)
async def an_offer_that_is_none(stage: Stage) -> None:
    """A handshake message, application data of the epoch before or of another group, or more than 4 KiB."""
    talk, alice, (bob,), key_packages = await _opened(stage, 1)
    before = talk.say(alice).message
    request, talk.groups[alice.key] = talk.invitation(alice, key_packages)
    elsewhere = Talk(stage)
    await elsewhere.open(alice, bob.account)
    for offer, reasons in (
        (request.commit, ("WRONG_WIRE_FORMAT",)),
        (b"offer", ()),
        (before, ()),
        (elsewhere.say(alice).message, ("WRONG_GROUP",)),
    ):
        await alice.refused(replace(request, offer=offer), *reasons)
    long, _ = elsewhere.invitation(alice, key_packages, bytes(4 << 10))
    await alice.refused(long, "TOO_MANY_BYTES")
    await stage.quiet()
    expect(await bob.take(), [], "what came to the callee")
    await alice.committed(request)


@check("DS-5", refused=True)
async def a_welcome_that_is_for_nobody(stage: Stage) -> None:
    """A commit that adds nobody comes with a Welcome, with an offer, or with both."""
    talk, _, (phone, _) = await ringing(stage)
    request = talk.request(phone, *talk.answer(phone))
    said = talk.say(phone).message
    for welcome, offer in ((b"", None), (b"welcome", said), (None, said)):
        await phone.refused(replace(request, welcome=welcome, offer=offer), "WELCOME_UNEXPECTED")
    await phone.committed(request)


@check("KEYS-11", refused=True)
async def somebody_who_is_not_called(stage: Stage) -> None:
    """A device of a third account is added beside the callee's: nobody of them is rung."""
    alice, bob = await stage.device(), await stage.device(key_packages=1)
    mallory = await stage.device(key_packages=1)
    talk = Talk(stage)
    await talk.open(alice, bob.account)
    both = [*await alice.claim(bob.account), *await alice.claim(mallory.account)]
    request, _ = talk.invitation(alice, both)
    await alice.refused(request, "ILLEGAL_PROPOSAL")
    await stage.quiet()
    for device in (bob, mallory):
        expect(await device.take(), [], "what came to who was to be added")


@check("DS-7", refused=True)
async def more_proposals_than_devices(stage: Stage) -> None:
    """A commit of a call between two with 65 proposals, and one without Adds of more than 32 KiB."""
    alice, bob = await stage.device(), await stage.device()
    talk = Talk(stage)
    await talk.open(alice, bob.account)
    devices = [Device(stage, bob.account, n, stage.entropy, bob.line) for n in range(2, 67)]
    request, _ = talk.invitation(alice, [each.bundle().key_package for each in devices])
    await alice.refused(request, "TOO_MANY_DEVICES")
    in_call, caller, _ = await answered(stage)
    padded = in_call.request(caller, authenticated_data=bytes(33 << 10))
    reason = await caller.refused(padded, "TOO_MANY_BYTES", "UNEXPECTED_AUTHENTICATED_DATA")
    claim(bool(reason), "no reason")
