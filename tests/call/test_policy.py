"""Commits and messages that a call does not allow, from a member who has all the keys for them.

A commit that a member made and that nobody may follow ends the call (CALL-32); whatever else claims to be one is refused, and the
call is as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.events import Ended, EndReason
from e2ee.call.policy import Said, input_of_commit, input_of_message
from e2ee.call.states import Input
from e2ee.crypto.secret import Secret
from e2ee.errors import Reason
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule
from e2ee.mls.external_joining import external_join
from e2ee.mls.external_proposing import propose_to_join
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import Group, StagedCommit
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, GroupContextExtensions, PreSharedKey, Remove
from e2ee.mls.psk import PreSharedKeyID
from e2ee.profile.call_profile import CallKind
from e2ee.profile.errors import ProfileReason
from e2ee.profile.leaves import committer_policy
from e2ee.profile.legal_commits import LegalCommit
from e2ee.signalling import messages
from e2ee.signalling.errors import WireReason
from e2ee.signalling.messages import CALL, CallMessage
from e2ee.signalling.wire import encode
from e2ee.testing.mls_members import Insider, snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

KeyPackageOf = Callable[[SimulatedDevice], KeyPackage]
Refuses = Callable[[SimulatedDevice, MLSMessage, Reason], None]
Ends = Callable[[SimulatedDevice, MLSMessage, Reason], None]


def group_of(device: SimulatedDevice) -> Group:
    """The group of the one call that a device is in."""
    epochs = device.call._actions.epochs
    assert epochs is not None
    return epochs._group


@pytest.fixture
def refuses(calls: SimulatedCalls) -> Refuses:
    """That a device refuses this entry of the log for this reason, and is as it was."""

    def check(device: SimulatedDevice, commit: MLSMessage, reason: Reason) -> None:
        before = snapshot(device.core)
        entry = messages.Committed(device.call.call_id, commit.encode())
        refused = calls.give(device, entry)
        assert refused is not None
        assert refused.reason is reason
        assert snapshot(device.core) == before

    return check


@pytest.fixture
def ends(calls: SimulatedCalls) -> Ends:
    """That this entry of the log ends the call at a device, for this reason, and that it says so to the others."""

    def check(device: SimulatedDevice, commit: MLSMessage, reason: Reason) -> None:
        call, said_before = device.call, len(device.sending(messages.Send))
        assert calls.give(device, messages.Committed(call.call_id, commit.encode())) is None
        ended = device.last(Ended)
        assert (ended.reason, ended.remote) == (EndReason.PROTOCOL_ERROR, True)
        assert reason in ended.detail
        assert call._actions.epochs is None
        assert len(device.sending(messages.Send)) == said_before + 1

    return check


def commit(calls: SimulatedCalls, device: SimulatedDevice, *proposals: object) -> MLSMessage:
    """A commit that MLS allows and that the device's own software would not make."""
    return (
        group_of(device)
        .commit(
            proposals=proposals,  # type: ignore[arg-type]
            policy=committer_policy(calls.now),
            entropy=device.owner.entropy,
        )
        .message
    )


# ------------------------------------------------------------------------------------- epoch 1: the Answer, no other


@pytest.fixture
def ringing(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> tuple[SimulatedDevice, SimulatedDevice, SimulatedDevice]:
    """Alice, who calls, and two devices of Bob's, which ring."""
    tablet = calls.device("bob", device_id=2)
    alice.core.place_call("bob", calls.now)
    calls.settle()
    return alice, bob, tablet


Ringing = tuple[SimulatedDevice, SimulatedDevice, SimulatedDevice]


@pytest.mark.requirement("KEYS-11", "CALL-32")
def test_the_caller_commits_nothing_while_it_rings(
    calls: SimulatedCalls, ringing: Ringing, ends: Ends
) -> None:
    alice, bob, tablet = ringing
    empty = commit(calls, alice)
    removal = commit(calls, alice, Remove(2))
    ends(bob, empty, ProfileReason.ILLEGAL_COMMITTER)
    ends(tablet, removal, ProfileReason.ILLEGAL_COMMITTER)


@pytest.mark.requirement("KEYS-11", "CALL-32")
def test_an_answer_removes_all_others_of_the_callee(
    calls: SimulatedCalls, ringing: Ringing, ends: Ends
) -> None:
    alice, bob, _ = ringing
    ends(alice, commit(calls, bob), ProfileReason.ILLEGAL_PROPOSAL)


@pytest.mark.requirement("KEYS-11", "CALL-32")
def test_an_answer_removes_nobody_else(calls: SimulatedCalls, ringing: Ringing, ends: Ends) -> None:
    alice, bob, tablet = ringing
    throws_alice_out = commit(calls, bob, Remove(0), Remove(2))
    ends(alice, throws_alice_out, ProfileReason.ILLEGAL_PROPOSAL)
    ends(tablet, throws_alice_out, ProfileReason.ILLEGAL_PROPOSAL)


@pytest.mark.requirement("KEYS-11", "CALL-32")
def test_an_answer_adds_nobody(
    calls: SimulatedCalls, ringing: Ringing, key_package_of: KeyPackageOf, ends: Ends
) -> None:
    alice, bob, _ = ringing
    third = calls.device("bob", device_id=3)
    more = commit(calls, bob, Remove(2), Add(key_package_of(third)))
    ends(alice, more, ProfileReason.ILLEGAL_PROPOSAL)


# ----------------------------------------------------------------------------- from epoch 2: commits without proposals


@pytest.fixture
def live(calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice) -> None:
    calls.go_live(alice, bob)


@pytest.mark.requirement("KEYS-11", "CALL-32")
@pytest.mark.usefixtures("live")
def test_nobody_is_added_to_a_call(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    key_package_of: KeyPackageOf,
    ends: Ends,
) -> None:
    carol = calls.device("carol")
    added = commit(calls, alice, Add(key_package_of(carol)))
    ends(bob, added, ProfileReason.ILLEGAL_PROPOSAL)


@pytest.mark.requirement("KEYS-11", "CALL-32")
@pytest.mark.usefixtures("live")
def test_nobody_is_removed_from_a_call(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, ends: Ends
) -> None:
    bob_is_out, alice_is_out = commit(calls, alice, Remove(1)), commit(calls, bob, Remove(0))
    ends(bob, bob_is_out, ProfileReason.ILLEGAL_PROPOSAL)
    ends(alice, alice_is_out, ProfileReason.ILLEGAL_PROPOSAL)


@pytest.mark.requirement("KEYS-13", "CALL-32")
@pytest.mark.usefixtures("live")
def test_the_profile_stays_as_it_is(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, ends: Ends
) -> None:
    same = GroupContextExtensions(group_of(alice).extensions)
    ends(bob, commit(calls, alice, same), ProfileReason.ILLEGAL_PROPOSAL)


@pytest.mark.requirement("KEYS-13", "CALL-32")
@pytest.mark.usefixtures("live")
def test_no_pre_shared_key_comes_in(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, ends: Ends
) -> None:
    psk_id = PreSharedKeyID.external(b"a key", bytes(32))
    pending = group_of(alice).commit(
        proposals=[PreSharedKey(psk_id)],
        psks={b"a key": Secret(bytes(32))},
        policy=committer_policy(calls.now),
        entropy=alice.owner.entropy,
    )
    ends(bob, pending.message, Rule.PSK_UNKNOWN)


@pytest.mark.requirement("KEYS-13")
@pytest.mark.usefixtures("live")
def test_proposals_come_in_commits_only(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, refuses: Refuses
) -> None:
    group, entropy = group_of(alice), alice.owner.entropy
    proposed = group.propose_update(entropy=entropy)
    refuses(bob, proposed.message, CallReason.NOT_A_COMMIT)


@pytest.mark.requirement("KEYS-13", "CALL-32")
@pytest.mark.usefixtures("live")
def test_no_commit_refers_to_a_proposal(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, ends: Ends
) -> None:
    """A proposal on its own is refused (above), so nobody has what a commit refers to."""
    group, entropy = group_of(alice), alice.owner.entropy
    policy, same = committer_policy(calls.now), GroupContextExtensions(group.extensions)
    proposed = group.propose(same, policy=policy, entropy=entropy)
    by_reference = group.commit(references=[proposed.reference], policy=policy, entropy=entropy)
    ends(bob, by_reference.message, Rule.PROPOSAL_REFERENCE_UNKNOWN)


@pytest.mark.requirement("KEYS-13", "CALL-32")
@pytest.mark.parametrize("comes_back", [False, True])
@pytest.mark.usefixtures("live")
def test_nobody_joins_or_comes_back_by_a_commit_from_outside(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    refuses: Refuses,
    comes_back: bool,
) -> None:
    """MLS takes it: the GroupInfo is Alice's, and the certificate in the leaf is sound."""
    device = alice if comes_back else calls.device("bob", device_id=2)
    group_info = group_of(alice).group_info().body
    assert isinstance(group_info, GroupInfo)
    pending = external_join(
        group_info,
        device.owner.new_key_package(group_of(alice).cipher_suite.code_point, calls.now),
        policy=committer_policy(calls.now),
        entropy=device.owner.entropy,
        resync=group_of(alice).own_leaf_index if comes_back else None,
    )
    staged = group_of(bob).receive(pending.message, policy=committer_policy(calls.now))
    assert isinstance(staged, StagedCommit)

    refuses(bob, pending.message, ProfileReason.EXTERNAL_SENDER)


@pytest.mark.requirement("KEYS-13")
@pytest.mark.usefixtures("live")
def test_nobody_asks_to_be_added_to_a_call(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, refuses: Refuses
) -> None:
    """A proposal that came in unseen would keep Bob from ever sending again in this epoch."""
    group, carol = group_of(alice), calls.device("carol").owner
    bundle = carol.new_key_package(group.cipher_suite.code_point, calls.now)
    asked = propose_to_join(
        bundle.key_package,
        bundle.signature_private_key,
        group_id=group.group_id,
        epoch=group.epoch,
        policy=committer_policy(calls.now),
    )
    refuses(bob, asked, CallReason.NOT_A_COMMIT)


@pytest.mark.requirement("KEYS-12", "CALL-32")
@pytest.mark.usefixtures("live")
def test_a_commit_without_a_path(alice: SimulatedDevice, bob: SimulatedDevice, ends: Ends) -> None:
    bare = Insider(group_of(alice), alice.owner.entropy).say(Commit((), None))
    ends(bob, bare, Rule.PATH_MISSING)


@pytest.mark.requirement("KEYS-5")
@pytest.mark.usefixtures("live")
def test_a_commit_that_nobody_else_can_read(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, refuses: Refuses
) -> None:
    pending = group_of(alice).commit(
        policy=committer_policy(calls.now),
        entropy=alice.owner.entropy,
        wire_format=WireFormat.PRIVATE_MESSAGE,
    )
    refuses(bob, pending.message, CallReason.WRONG_WIRE_FORMAT)


@pytest.mark.requirement("KEYS-5")
@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("handshake", ["commit", "proposal"])
def test_a_handshake_in_the_place_of_application_data(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, handshake: str
) -> None:
    """A proposal that came in unseen would keep Bob from ever sending again in this epoch."""
    group, entropy, private = group_of(alice), alice.owner.entropy, WireFormat.PRIVATE_MESSAGE
    if handshake == "commit":
        policy = committer_policy(calls.now)
        message = group.commit(policy=policy, entropy=entropy, wire_format=private).message
    else:
        message = group.propose_update(entropy=entropy, wire_format=private).message
    before = snapshot(bob.core)
    refused = calls.give(bob, messages.Sent(bob.call.call_id, message.encode()))
    assert refused is not None
    assert refused.reason is CallReason.NOT_APPLICATION_DATA
    assert snapshot(bob.core) == before


@pytest.mark.requirement("CALL-15", "KEYS-11")
@pytest.mark.usefixtures("live")
def test_a_commit_with_any_bit_flipped(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Its signature, its tags, its path: one bit, and Bob is where he was; the true commit is then applied."""
    encoded = bytearray(commit(calls, alice).encode())
    before = snapshot(bob.core)
    for position in range(0, len(encoded), 5):
        encoded[position] ^= 1 << position % 8
        entry = messages.Committed(bob.call.call_id, bytes(encoded))
        assert calls.give(bob, entry) is not None, position
        encoded[position] ^= 1 << position % 8
    assert snapshot(bob.core) == before
    assert calls.give(bob, messages.Committed(bob.call.call_id, bytes(encoded))) is None
    assert bob.call.epoch == 3


@pytest.mark.usefixtures("live")
def test_a_message_with_any_bit_flipped(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    encoded = bytearray(
        group_of(alice).protect(b"not even a message", entropy=alice.owner.entropy).encode()
    )
    before = snapshot(bob.core)
    for position in range(len(encoded)):
        encoded[position] ^= 1 << position % 8
        assert calls.give(bob, messages.Sent(bob.call.call_id, bytes(encoded))) is not None
        encoded[position] ^= 1 << position % 8
    assert snapshot(bob.core) == before


@pytest.mark.requirement("SIG-2", "SIG-3", "CALL-15")
@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", WireReason.TRUNCATED),
        (b"\x91\xa3who", WireReason.UNKNOWN_MESSAGE),
        (b"\x93\xa6hangup\x00\xa0", WireReason.WRONG_TYPE),
        (b"\x91\xa6hangup", WireReason.WRONG_FIELD_COUNT),
        (b"\x93\xa5alive\xcc\x02\x00", WireReason.NOT_CANONICAL),
        (encode(messages.Find("bob")), WireReason.UNKNOWN_MESSAGE),
        (bytes((1 << 16) + 1), WireReason.TOO_LARGE),
    ],
)
def test_what_is_sealed_and_no_call_message(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    data: bytes,
    reason: WireReason,
) -> None:
    """It is a member's, beyond doubt; it says nothing that a call knows, and does nothing."""
    epochs = bob.call._actions.epochs
    assert epochs is not None
    before = bob.call.state, bob.call.call_code, snapshot(epochs.frame_keys), len(bob.events)
    sealed = group_of(alice).protect(data, entropy=alice.owner.entropy).encode()
    refused = calls.give(bob, messages.Sent(bob.call.call_id, sealed))
    assert refused is not None
    assert refused.reason is reason
    after = bob.call.state, bob.call.call_code, snapshot(epochs.frame_keys), len(bob.events)
    assert after == before
    assert list(bob.outbox) == []


# ----------------------------------------------------------------------------------------------- who may say what


CALLER, CALLEE = 0, 1
BOTH = (CALLER, CALLEE)
RINGING, IN_CALL = (1,), (2, 3, 17)

WHO_SAYS_WHAT: list[tuple[CallMessage, Input, tuple[int, ...], tuple[int, ...]]] = [
    (messages.Ringing(), Input.RINGS, (CALLEE,), RINGING),
    (messages.Busy(), Input.BUSY, (CALLEE,), RINGING),
    (messages.Accepted(""), Input.ACCEPTED, (CALLER,), (2,)),
    (messages.AnswerDescription(""), Input.ANSWER_DESCRIPTION, (CALLEE,), IN_CALL),
    (messages.Reconnect(1, ""), Input.SAID, (CALLER,), IN_CALL),
    (messages.Reconnected(1, ""), Input.SAID, (CALLEE,), IN_CALL),
    (
        messages.Media(microphone=True, camera=True, screen=True, on_hold=True),
        Input.SAID,
        BOTH,
        IN_CALL,
    ),
    (messages.Chat(1, "hello"), Input.SAID, BOTH, IN_CALL),
    (messages.Reaction(0, 1, "!"), Input.SAID, BOTH, IN_CALL),
    (messages.Typing(typing=True), Input.SAID, BOTH, IN_CALL),
    (messages.Receipt(0, 1, read=True), Input.SAID, BOTH, IN_CALL),
    (messages.LiveText(0, "h"), Input.SAID, BOTH, IN_CALL),
    (messages.Caption(0, "hello", "en", final=True), Input.SAID, BOTH, IN_CALL),
    (messages.CodeCommit(0, bytes(32)), Input.SAID, BOTH, IN_CALL),
    (messages.CodeReveal(0, bytes(32)), Input.SAID, BOTH, IN_CALL),
    (messages.Hangup("cancelled"), Input.HANGUP, (CALLER,), RINGING),
    (messages.Hangup("timeout"), Input.HANGUP, (CALLER,), RINGING),
    (messages.Hangup("replaced"), Input.HANGUP, (CALLER,), RINGING),
    (messages.Hangup("declined"), Input.HANGUP, (CALLEE,), RINGING),
    (messages.Hangup("done"), Input.HANGUP, BOTH, IN_CALL),
    (messages.Hangup("answer-failed"), Input.HANGUP, BOTH, RINGING + IN_CALL),
    (messages.Hangup("protocol-error"), Input.HANGUP, BOTH, RINGING + IN_CALL),
    (messages.Hangup("revoked"), Input.HANGUP, BOTH, RINGING + IN_CALL),
]
"""Every message that comes after the invitation: what it is, from which side, in which epochs."""


OF_GROUP_CALLS: list[CallMessage] = [
    messages.Streams((), (), (), ()),
    messages.Hand(raised=True),
    messages.StageInvitation(1),
    messages.StageReply(accepted=True),
    messages.MuteRequest(1, 0),
    messages.Removing(1),
    messages.Left(),
    messages.NewLink(bytes(32)),
]

GROUP_OFFER = messages.GroupOffer(0, "voice", bytes(16), (bytes(32),), None, ())


def test_every_call_message_is_in_a_list() -> None:
    said = {type(message) for message, *_ in WHO_SAYS_WHAT}
    # which have tests of their own, below
    others = {messages.Offer, messages.GroupOffer, messages.Alive, *map(type, OF_GROUP_CALLS)}
    assert said | others == set(CALL.messages.values())


@pytest.mark.requirement("CALL-15")
def test_what_belongs_to_another_kind_of_call_is_refused() -> None:
    of_one_to_one: list[CallMessage] = [messages.Offer(0, "voice")]
    of_one_to_one += [each for each, happened, *_ in WHO_SAYS_WHAT if happened is Input.SAID]
    elsewhere = {
        CallKind.ONE_TO_ONE: [GROUP_OFFER, *OF_GROUP_CALLS],
        CallKind.RING: [*of_one_to_one, *OF_GROUP_CALLS],
    }
    for kind, said in elsewhere.items():
        for message in said:
            for sender in BOTH:
                assert reason_of(message, sender, 2, kind) is CallReason.NOT_IN_THIS_CALL


@pytest.mark.requirement("GROUP-4")
@pytest.mark.parametrize(
    ("message", "sender", "happened"),
    [
        (messages.Accepted(""), CALLER, Input.RING_ACCEPTED),
        (messages.AnswerDescription(""), CALLEE, Input.RING_DESCRIBED),
    ],
)
def test_descriptions_are_empty_in_a_ring_group(
    message: messages.Accepted | messages.AnswerDescription, sender: int, happened: Input
) -> None:
    assert input_of_message(Said(sender, 2, 0, message), CallKind.RING) is happened
    described = replace(message, description="v=0")
    assert reason_of(described, sender, 2) is None
    refused = reason_of(described, sender, 2, CallKind.RING)
    assert refused is CallReason.UNEXPECTED_DESCRIPTION


@pytest.mark.requirement(
    "CALL-8", "CALL-11", "CALL-13", "CALL-15", "CALL-17", "CALL-18", "CALL-20", "CALL-28"
)
@pytest.mark.parametrize(("message", "happened", "sides", "epochs"), WHO_SAYS_WHAT)
def test_who_may_say_what_and_when(
    message: CallMessage, happened: Input, sides: tuple[int, ...], epochs: tuple[int, ...]
) -> None:
    for sender in BOTH:
        for epoch in (0, *RINGING, *IN_CALL):
            said = Said(sender=sender, epoch=epoch, generation=0, message=message)
            if sender in sides and epoch in epochs:
                assert input_of_message(said, CallKind.ONE_TO_ONE) is happened
                continue
            with pytest.raises(CallRefused) as refused:
                input_of_message(said, CallKind.ONE_TO_ONE)
            wanted = {CallReason.WRONG_SENDER if sender not in sides else CallReason.WRONG_EPOCH}
            if isinstance(message, messages.Hangup) and epoch == 0:
                wanted |= {CallReason.WRONG_EPOCH}
            assert refused.value.reason in wanted


def reason_of(
    message: CallMessage, sender: int, epoch: int, kind: CallKind = CallKind.ONE_TO_ONE
) -> Reason | None:
    try:
        input_of_message(Said(sender, epoch, 0, message), kind)
    except CallRefused as refused:
        return refused.reason
    return None


@pytest.mark.requirement("CALL-3", "CALL-15")
def test_an_offer_comes_with_the_invitation_and_never_again() -> None:
    for sender in BOTH:
        for epoch in (*RINGING, *IN_CALL):
            assert reason_of(messages.Offer(0, "voice"), sender, epoch) is CallReason.WRONG_SENDER
            refused = reason_of(GROUP_OFFER, sender, epoch, CallKind.RING)
            assert refused is CallReason.WRONG_SENDER


@pytest.mark.requirement("CALL-11")
def test_alive_is_of_the_epoch_that_it_names() -> None:
    for sender in BOTH:
        for sent_in in (1, 2, 3):
            for named in (0, 1, 2, 3):
                wanted = None if sent_in == named >= 2 else CallReason.WRONG_EPOCH
                assert reason_of(messages.Alive(named, 0), sender, sent_in) is wanted


@pytest.mark.requirement("CALL-20")
@pytest.mark.parametrize("reason", ["", "bored", "busy", "lost", "DONE", "answered-elsewhere"])
def test_no_other_reason_ends_a_call(reason: str) -> None:
    for sender in BOTH:
        for epoch in (1, 2):
            refused = reason_of(messages.Hangup(reason), sender, epoch)
            assert refused is CallReason.UNKNOWN_HANGUP_REASON


@pytest.mark.requirement("CALL-20")
def test_the_reasons_are_the_table_of_the_chapter() -> None:
    chapter = Path(__file__).parents[2] / "spec" / "calls.md"
    row = re.compile(
        r"^\| `([a-z-]+)` \| (caller|callee|either) \| (1|1 and later|2 and later) \|", re.M
    )
    sides = {"caller": (CALLER,), "callee": (CALLEE,), "either": BOTH}
    epochs = {"1": RINGING, "1 and later": RINGING + IN_CALL, "2 and later": IN_CALL}
    table = [
        (each[1], sides[each[2]], epochs[each[3]]) for each in row.finditer(chapter.read_text())
    ]
    assert table == [
        (message.reason, sides, epochs)
        for message, _, sides, epochs in WHO_SAYS_WHAT
        if isinstance(message, messages.Hangup)
    ]


@pytest.mark.requirement("CALL-20")
def test_who_declines_may_say_why_in_a_thousand_bytes() -> None:
    longest = "\N{DOG FACE}" * 250  # 1,000 bytes of UTF-8
    assert reason_of(messages.Hangup("declined", longest), CALLEE, 1) is None
    assert reason_of(messages.Hangup("declined", longest + "!"), CALLEE, 1) is CallReason.BAD_TEXT
    for control in ("\x1b[2J", "\0", "\x9b"):
        said = messages.Hangup("declined", f"no {control}")
        assert reason_of(said, CALLEE, 1) is CallReason.BAD_TEXT
    assert reason_of(messages.Hangup("declined", "no\n\tnot now"), CALLEE, 1) is None
    for message, _, (sender, *_), (epoch, *_) in WHO_SAYS_WHAT:
        if isinstance(message, messages.Hangup) and message.reason != "declined":
            with_text = messages.Hangup(message.reason, "!")
            assert reason_of(with_text, sender, epoch) is CallReason.BAD_TEXT


@pytest.mark.parametrize(
    ("commit", "own", "caller", "happened"),
    [
        (LegalCommit.INVITATION, True, True, Input.INVITE_COMMITTED),
        (LegalCommit.ANSWER, True, False, Input.ANSWER_COMMITTED),
        (LegalCommit.ANSWER, False, True, Input.ANSWERED),
        (LegalCommit.ANSWER, False, False, Input.ANSWERED_ELSEWHERE),
        (LegalCommit.TIMED, True, True, Input.COMMITTED),
        (LegalCommit.TIMED, False, False, Input.COMMITTED),
    ],
)
def test_what_a_commit_means_to_whom(
    commit: LegalCommit, own: bool, caller: bool, happened: Input
) -> None:
    kinds = CallKind.ONE_TO_ONE, CallKind.RING
    in_ring_group = {Input.ANSWERED: Input.RING_ANSWERED}.get(happened, happened)
    means = [input_of_commit(commit, kind, own=own, caller=caller) for kind in kinds]
    assert means == [happened, in_ring_group]
