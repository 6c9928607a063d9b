"""How a call begins (DS-3, DS-16)."""

from __future__ import annotations

from dataclasses import replace

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import SUITE, Device, encoded
from e2ee.conformance.server.faults import Fault, expect
from e2ee.conformance.server.meeting import Meeting
from e2ee.conformance.server.stage import Stage
from e2ee.conformance.server.talk import Talk
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.group_info import GroupInfo, sign_group_info
from e2ee.mls.message import MLSMessage
from e2ee.profile.call_profile import CallProfile
from e2ee.signalling import messages


async def _two(stage: Stage) -> tuple[Talk, Device, Device, CallProfile]:
    alice, bob = await stage.device(), await stage.device(key_packages=1)
    talk = Talk(stage)
    return talk, alice, bob, talk.profile(alice.account, bob.account)


async def _opens(talk: Talk, alice: Device, bob: Device) -> None:
    """After what was refused: the call is still there to be opened."""
    await talk.ring(alice, bob.account)


@check("DS-3")
async def a_call_between_two(stage: Stage) -> None:
    """The caller opens it, and everything that follows is possible."""
    talk, alice, bob, _ = await _two(stage)
    await _opens(talk, alice, bob)
    await talk.take_up(bob)


@check("DS-16")
async def a_group_call(stage: Stage) -> None:
    """A host opens it, and is answered with ``stored``."""
    alice = await stage.device()
    meeting = Meeting(stage)
    await meeting.begin(alice)
    expect(await alice.take(), [], "what came beside stored")


@check("DS-3", refused=True)
async def a_call_id_a_second_time(stage: Stage) -> None:
    """By the caller, by somebody else, and as a group call."""
    talk, alice, bob, profile = await _two(stage)
    opening = talk.opening(alice, profile)
    await alice.accepted(opening)
    await alice.refused(opening, "CALL_ID_USED")
    other = Talk(stage, talk.call_id)
    await bob.refused(other.opening(bob, other.profile(bob.account, alice.account)), "CALL_ID_USED")
    await bob.refused(Meeting(stage, talk.call_id).open_request(bob), "CALL_ID_USED")


@check("DS-3", refused=True)
async def a_group_of_another_name(stage: Stage) -> None:
    """The GroupInfo is of another ``call_id`` than the request."""
    talk, alice, bob, profile = await _two(stage)
    elsewhere = talk.opening(alice, profile, group_id=stage.call_id())
    await alice.refused(elsewhere, "WRONG_GROUP")
    await _opens(talk, alice, bob)


@check("DS-3", refused=True)
async def a_group_that_has_begun(stage: Stage) -> None:
    """Of epoch 1; of epoch 0 with two leaves; of one leaf that is another device's."""
    talk, alice, bob, profile = await _two(stage)
    talk.opening(alice, profile)
    _, group = talk.invitation(alice, await alice.claim(bob.account))
    later = group.group_info(external_pub=False)
    await alice.refused(messages.Open(talk.call_id, later.encode()), "NOT_EPOCH_0")
    info = later.body
    if not isinstance(info, GroupInfo):
        raise Fault("no GroupInfo was made")
    begun = replace(info, group_context=replace(info.group_context, epoch=0))
    wide = sign_group_info(cipher_suite(SUITE), begun, alice.signing_key.private)
    await alice.refused(messages.Open(talk.call_id, encoded(wide)), "TREE_TOO_WIDE", "NOT_THE_ONLY_LEAF", "TREE_HASH")  # fmt: skip
    await bob.refused(talk.opening(alice, profile), "NOT_THE_ONLY_LEAF")
    await bob.publish_fresh(1)
    await _opens(talk, alice, bob)


@check("DS-3", refused=True)
async def a_group_info_that_is_forged(stage: Stage) -> None:
    """Its signature does not verify, it has no tree, or it is something else."""
    talk, alice, bob, profile = await _two(stage)
    opening = talk.opening(alice, profile)
    info = MLSMessage.decode(opening.group_info).body
    if not isinstance(info, GroupInfo):
        raise Fault("no GroupInfo was made")
    forged = replace(info, signature=bytes(64))
    bare = sign_group_info(
        cipher_suite(SUITE), replace(info, extensions=()), alice.signing_key.private
    )
    for data, reasons in (
        (encoded(forged), ("GROUP_INFO_SIGNATURE",)),
        (encoded(bare), ("RATCHET_TREE_MISSING",)),
        (encoded(alice.bundle().key_package), ("WRONG_WIRE_FORMAT",)),
        (b"", ("TRUNCATED",)),
    ):
        await alice.refused(messages.Open(talk.call_id, data), *reasons)
    await _opens(talk, alice, bob)


@check("KEYS-9", "KEYS-10", "DS-3", refused=True)
async def a_profile_that_no_call_has(stage: Stage) -> None:
    """Of another delivery service, of another caller, with hosts, of a kind or a version that there is not."""
    talk, alice, bob, profile = await _two(stage)
    turned = replace(profile, accounts=(profile.callee, profile.caller))
    for fields, reason in (
        ({"delivery_key": bytes(32)}, "WRONG_DELIVERY_KEY"),
        ({"accounts": turned.accounts}, "NOT_THE_CALLER"),
        ({"accounts": profile.accounts[:1]}, "BAD_CALL_PROFILE"),
        ({"hosts": (bytes(32),)}, "BAD_CALL_PROFILE"),
        ({"kind": 3}, "BAD_CALL_PROFILE"),
        ({"kind": 9}, "BAD_CALL_PROFILE"),
        ({"version": 0x0200}, "BAD_CALL_PROFILE"),
        ({"S": 9}, "BAD_CALL_PROFILE"),
        ({"stamps": 1}, "BAD_CALL_PROFILE"),
    ):
        await alice.refused(talk.opening(alice, replace(profile, **fields)), reason)
    await _opens(talk, alice, bob)


@check("KEYS-1", refused=True)
async def a_suite_without_a_pair(stage: Stage) -> None:
    """A group in MLS suite 0x0003."""
    talk, alice, _, profile = await _two(stage)
    opening = talk.opening(alice, profile, bundle=alice.bundle(suite=0x0003))
    await alice.refused(opening, "UNPAIRED_SUITE")


@check("DS-16", "KEYS-19", refused=True)
async def a_group_call_that_is_none(stage: Stage) -> None:
    """Who opens it is no host; the profile has a link without the policy, nobody as a host, or somebody twice."""
    alice, bob = await stage.device(), await stage.device()
    meeting = Meeting(stage)
    by_another = meeting.open_request(alice, creator=bob.account.key.public)
    await alice.refused(by_another, "NOT_A_HOST")
    host = alice.account.key.public
    meeting.open_request(alice)
    for fields in (
        {"hosts": ()},
        {"hosts": (host, host)},
        {"banned": (host,)},
        {"link_id": bytes(34)},
        {"join_policy": 3},
        {"delivery_key": bytes(32)},
    ):
        profile = replace(meeting.profile_now, **fields)
        await alice.refused(meeting.opening(alice, profile), "BAD_CALL_PROFILE", "WRONG_DELIVERY_KEY")  # fmt: skip
    await meeting.begin(alice)


@check("DS-3", "DS-6", refused=True)
async def requests_of_a_call_that_is_none(stage: Stage) -> None:
    """Whatever is asked of an unknown ``call_id``."""
    alice = await stage.device()
    call_id = stage.call_id()
    for request in (
        messages.Commit(call_id, b"commit", None, None),
        messages.Send(call_id, b"message"),
        messages.Join(call_id, b"key package"),
        messages.TurnAway(call_id, bytes(32)),
        messages.Leave(call_id),
        messages.AskTree(call_id, 0, 0),
        messages.ReportInvalid(call_id, 0),
    ):
        await alice.refused(request, "UNKNOWN_CALL")


@check("DS-7", refused=True, slow=True)
async def more_calls_than_a_device_has(stage: Stage) -> None:
    """The 65th call that a device opens."""
    alice, bob = await stage.device(), await stage.device()
    for _ in range(64):
        await Talk(stage).open(alice, bob.account)
    talk = Talk(stage)
    opening = talk.opening(alice, talk.profile(alice.account, bob.account))
    await alice.refused(opening, "TOO_MANY_CALLS")
    await Talk(stage).open(bob, alice.account)
