"""Getting into a group call: who may ask, who is asked, and who is added (DS-16, DS-17; KEYS-20, KEYS-21)."""

from __future__ import annotations

from dataclasses import replace

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Device
from e2ee.conformance.server.faults import expect
from e2ee.conformance.server.meeting import PACE, Meeting, meet
from e2ee.conformance.server.rates import limited
from e2ee.conformance.server.stage import Stage
from e2ee.mls.key_package import LAST_RESORT
from e2ee.mls.proposal import Remove
from e2ee.profile.call_profile import JoinPolicy
from e2ee.profile.join import join_extension
from e2ee.signalling import messages


@check("DS-16", "DS-17", "GROUP-8")
async def who_asks_is_added(stage: Stage) -> None:
    """The request is passed on as it came, with a rank; the commit goes to the members, the Welcome to who is added."""
    alice, bob = await stage.device(), await stage.device()
    meeting = Meeting(stage)
    await meeting.begin(alice, bob)
    bundle = await meeting.asks(bob)
    asked = meeting.asking(bundle)
    requested = messages.JoinRequested(meeting.call_id, asked.key_package, 0, lobby=False)
    expect(await alice.hear(messages.JoinRequested), requested, "join_requested")
    await meeting.put(alice, meeting.adding(alice, bundle))
    await meeting.comes_in(bob, bundle)
    for speaker, other in ((alice, bob), (bob, alice)):
        expect(await meeting.said(speaker), await other.hear(messages.Sent), "sent")


@check("DS-16")
async def each_gets_its_own_secrets(stage: Stage) -> None:
    """Two are added by one commit: each gets a Welcome with its own secrets alone, which opens."""
    alice, bob, carol = [await stage.device() for _ in range(3)]
    meeting = Meeting(stage)
    await meeting.begin(alice, bob, carol)
    bundles = [meeting.joining_bundle(each) for each in (bob, carol)]
    await meeting.put(alice, meeting.adding(alice, *bundles))
    for device, bundle in zip((bob, carol), bundles, strict=True):
        added = await meeting.comes_in(device, bundle)
        expect(len(added.secrets), 1, "secrets in the Welcome")
    expect(meeting.groups[bob.key].epoch_authenticator, meeting.groups[carol.key].epoch_authenticator, "epoch_authenticator")  # fmt: skip


@check("DS-17", refused=True)
async def a_key_package_of_something_else(stage: Stage) -> None:
    """Without ``join``, with that of another call, for many uses, of another device, of another suite, with a link's proof
    where there is no link."""
    meeting, (alice,) = await meet(stage, 1)
    bob, tablet = await stage.devices(2)
    mark = join_extension(meeting.call_id, stage.now())
    for bundle, reason in (
        (tablet.bundle(), "JOIN_MISSING"),
        (meeting.joining_bundle(tablet, call_id=stage.call_id()), "BAD_JOIN"),
        (meeting.joining_bundle(tablet, proof=bytes(32)), "BAD_JOIN"),
        (tablet.bundle(mark, LAST_RESORT), "BAD_JOIN"),
        (meeting.joining_bundle(bob), "NOT_THIS_DEVICE"),
        (meeting.joining_bundle(tablet, suite=0x0003), "KEY_PACKAGE_CIPHER_SUITE"),
    ):
        await tablet.refused(meeting.asking(bundle), reason)
    good = meeting.asking(meeting.joining_bundle(tablet))
    spoilt = good.key_package[:-1] + bytes([good.key_package[-1] ^ 1])
    await tablet.refused(replace(good, key_package=spoilt), "KEY_PACKAGE_SIGNATURE")
    await stage.quiet()
    expect(await alice.take(), [], "what came to the member")


@check("DS-17", refused=True)
async def who_is_banned_or_not_admitted(stage: Stage) -> None:
    """To a closed call only who is listed may ask, to no call who is banned; nobody in it is asked."""
    alice, bob, carol = [await stage.device() for _ in range(3)]
    closed = Meeting(stage)
    await closed.begin(alice, bob, join_policy=JoinPolicy.CLOSED)
    await carol.refused(closed.asking(closed.joining_bundle(carol)), "NOT_ADMITTED")
    await closed.asks(bob)
    await alice.hear(messages.JoinRequested)
    banning = closed.another_profile(banned=(carol.account.key.public,))
    await closed.put(alice, closed.changing(alice, banning))
    await carol.refused(closed.asking(closed.joining_bundle(carol)), "BANNED")
    await stage.quiet()
    expect(await alice.take(), [], "what came to the host")


@check("DS-17", "GROUP-10")
async def the_lobby_asks_hosts(stage: Stage) -> None:
    """Whom the policy admits only by a host is brought before hosts alone; who is turned away is told so."""
    meeting, (alice, bob) = await meet(stage, 2)
    dave, erin = await stage.device(), await stage.device()
    bundle = await meeting.asks(dave, lobby=True)
    await meeting.asks(erin, lobby=True)
    heard = await alice.hear(messages.JoinRequested)
    expect(heard.key_package, meeting.asking(bundle).key_package, "key_package")
    expect((heard.rank, heard.lobby), (0, True), "rank and lobby")
    await alice.accepted(messages.TurnAway(meeting.call_id, dave.key))
    expect(await dave.hear(messages.TurnedAway), messages.TurnedAway(meeting.call_id), "turned_away")  # fmt: skip
    await stage.quiet()
    expect(await bob.take(), [], "what came to a member that is no host")
    expect(await erin.take(), [], "what came to somebody else who asked")


@check("DS-17", "GROUP-10", refused=True)
async def who_may_not_turn_away(stage: Stage) -> None:
    """A member that is no host, somebody outside, and a host one who has not asked."""
    meeting, (alice, bob) = await meet(stage, 2)
    dave = await stage.device()
    no = messages.TurnAway(meeting.call_id, dave.key)
    await alice.refused(no, "NOT_ASKED")
    await meeting.asks(dave, lobby=True)
    await bob.refused(no, "NOT_A_HOST")
    await dave.refused(no, "NOT_A_MEMBER")
    await stage.quiet()
    expect(await dave.take(), [], "what came to who asked")


@check("DS-17")
async def the_eight_lowest_leaves(stage: Stage) -> None:
    """Of ten members eight are asked, by leaf; one that is away is left out, and ranks have no gap."""
    meeting, devices = await meet(stage, 10)
    await devices[2].leave()
    await stage.quiet()
    for device in devices:
        if device is not devices[2]:
            await device.take()
    await meeting.asks(await stage.device(devices[0].account, 2))
    due = {0: 0, 1: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7}
    for number, rank in due.items():
        heard = await devices[number].hear(messages.JoinRequested)
        expect(heard.rank, rank, f"rank of the member at leaf {number}")
    await stage.quiet()
    asked = [each for each in await devices[9].take() if isinstance(each, messages.JoinRequested)]
    expect(asked, [], "what the tenth member was asked")


async def _refused(committer: Device, request: messages.Commit, *reasons: str) -> None:
    await committer.refused(request, *reasons)


@check("KEYS-20", "KEYS-21", "DS-16", refused=True)
async def who_may_not_be_added(stage: Stage) -> None:
    """An account that is not listed, a KeyPackage that was not made to join, and a device that the service never saw."""
    alice, bob, mallory = [await stage.device() for _ in range(3)]
    meeting = Meeting(stage)
    await meeting.begin(alice, bob)
    uninvited = meeting.adding(alice, meeting.joining_bundle(mallory))
    await _refused(alice, uninvited, "NOT_ADMITTED")
    await _refused(alice, meeting.adding(alice, bob.bundle()), "JOIN_MISSING")
    other = meeting.joining_bundle(bob, call_id=stage.call_id())
    await _refused(alice, meeting.adding(alice, other), "BAD_JOIN")
    good = meeting.joining_bundle(bob)
    await _refused(alice, replace(meeting.adding(alice, good), welcome=None), "WELCOME_MISSING")
    await meeting.put(alice, meeting.adding(alice, good))
    await meeting.comes_in(bob, good)


@check("DS-16", refused=True)
async def a_device_that_nobody_knows(stage: Stage) -> None:
    """Of two that are added one never logged in: it is refused, and the detail says which Add that is."""
    alice, bob = await stage.device(), await stage.device()
    unknown = await stage.stranger(bob.account, 5)
    meeting = Meeting(stage)
    await meeting.begin(alice, bob)
    both = [meeting.joining_bundle(each) for each in (bob, unknown)]
    arrived = await alice.send(meeting.adding(alice, *both))
    reasons = [each.reason for each in arrived if isinstance(each, messages.Refused)]
    expect(reasons, ["UNKNOWN_DEVICE"], "reasons of refusals")
    details = [each.detail for each in arrived if isinstance(each, messages.Refused)]
    digits = [word for word in details[0].split() if word.isdigit()]
    expect(digits, ["1"], "the number in the detail")
    await stage.quiet()
    expect(await bob.take(), [], "what came to the known device")


@check("DS-5", "DS-16", refused=True)
async def an_offer_in_a_group_call(stage: Stage) -> None:
    """A commit of a group call comes without an offer, and without a Welcome if it adds nobody."""
    meeting, (alice, _) = await meet(stage, 2)
    request = meeting.changing(alice)
    said = meeting.say(alice).message
    await _refused(alice, replace(request, offer=said), "WELCOME_UNEXPECTED")
    await _refused(alice, replace(request, welcome=b"welcome"), "WELCOME_UNEXPECTED")
    await meeting.put(alice, request)


@check("KEYS-20", "DS-16", refused=True)
async def what_only_hosts_may_do(stage: Stage) -> None:
    """A member that is no host removes another, or changes the profile."""
    meeting, (alice, bob, carol) = await meet(stage, 3)
    await _refused(bob, meeting.changing(bob, Remove(meeting.leaf(carol))), "MAY_NOT_REMOVE")
    hosts = (alice.account.key.public, bob.account.key.public)
    former = meeting.profile_now
    await _refused(bob, meeting.changing(bob, meeting.another_profile(hosts=hosts)), "NOT_A_HOST")  # fmt: skip
    meeting.profile_now = former
    await meeting.put(alice, meeting.changing(alice, meeting.another_profile(hosts=hosts)))
    await meeting.follow(bob)
    await stage.pause(PACE)
    await meeting.put(bob, meeting.changing(bob, Remove(meeting.leaf(carol))))
    for device in (alice, carol):
        await device.hear(messages.Committed)


@check("DS-7", refused=True)
async def join_has_a_rate(stage: Stage) -> None:
    """30 requests a minute of an account for a call."""
    meeting, (alice,) = await meet(stage, 1)
    tablet = await stage.device(alice.account, 2)
    await limited(tablet, meeting.asking(meeting.joining_bundle(tablet)), 30, 60)
