"""Vectors of the chapter Calls: what a malicious delivery service does, and what a device must report, or must not do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from e2ee.mls.proposal import Remove
from e2ee.signalling import messages
from e2ee.signalling.wire import encode
from e2ee.vectorgen.call_scripts.following import alive, live, spoilt
from e2ee.vectorgen.call_scripts.people import Actor, entropy
from e2ee.vectorgen.call_scripts.placing import claimed, key_packages, placed
from e2ee.vectorgen.call_scripts.refusals import Refusal
from e2ee.vectorgen.call_scripts.ringing import Invited, S, contact, invited, ringing
from e2ee.vectorgen.call_scripts.room import Room
from e2ee.vectorgen.call_scripts.script import Script
from e2ee.vectorgen.call_scripts.states import (
    ALICE,
    LAPTOP,
    PHONE,
    answered,
    calling,
    profile_of_two,
)
from e2ee.vectorgen.call_scripts.told import ended, event, rings, said, stopped
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP"]

GROUP = Group(
    "attack",
    "A script (chapter Calls, Scripts): the delivery service, or who is behind it, does what it must not. What it does is in the case's"
    " comment; the device must refuse it, report it, or be unmoved, as the steps say.",
)

HELLO = messages.Chat(1, "Hello")


# --------------------------------------------------------------------------------- invitations


@GROUP.vector("CALL-5", "THREAT-1", each={"welcome": "welcome", "offer": "offer"})
def changes_a_bit_of_the(case: Case, part: str) -> None:
    """The last bit of an honest invitation; then it gives the honest one, which was not used up."""
    script, invitation = invited(case)
    honest = invitation.message()
    changed: dict[str, Any] = {part: spoilt(getattr(honest, part), -1)}
    script.receive(S, replace(honest, **changed), refused=REASONS[part])
    script.receive(2 * S, honest, told=[rings("alice")], sent=["ringing"], calls=["ringing"])
    script.done()


REASONS = {"welcome": "WELCOME_NOT_AUTHENTIC", "offer": "PRIVATE_MESSAGE_NOT_AUTHENTIC"}


@GROUP.vector("CALL-1", reason=Refusal.WRONG_CALL_ID)
def gives_an_invitation_another_name(case: Case) -> None:
    """So that an old one seems new."""
    script, invitation = invited(case)
    script.refuses(S, invitation.message(call_id=bytes(16)))


@GROUP.vector("KEYS-2", reason=Refusal.WELCOME_CIPHER_SUITE)
def stamps_a_lower_suite(case: Case) -> None:
    """The suite in the Welcome's first field is another one."""
    script, invitation = invited(case)
    honest = invitation.message()
    welcome = honest.welcome[:4] + b"\x00\x02" + honest.welcome[6:]
    script.refuses(S, replace(honest, welcome=welcome))


@GROUP.vector("CALL-3")
def keeps_an_invitation_back(case: Case) -> None:
    """For 91 s; then it gives it, and again: nobody is rung by what is long over, and its caller learns nothing."""
    script, invitation = invited(case)
    script.receive(91 * S, invitation.message(), refused=Refusal.OFFER_TOO_OLD)
    script.receive(92 * S, invitation.message(), refused=Refusal.OFFER_TOO_OLD)
    script.wait(93 * S)
    script.done()


@GROUP.vector("CALL-3", "CALL-13")
def replays_a_call_that_was_cancelled(case: Case) -> None:
    """All of it, in order: the invitation, and what was said."""
    script, invitation = ringing(case)
    cancelled = invitation.room.say(0, messages.Hangup("cancelled", ""))
    script.receive(2 * S, cancelled, told=[ended("cancelled")], calls=[])
    script.receive(3 * S, invitation.message(), refused=Refusal.CALL_ALREADY_SEEN)
    script.receive(4 * S, cancelled, refused=Refusal.CALL_ENDED)
    script.wait(5 * S)
    script.done()


@GROUP.vector("CALL-4", "IDENT-9", "THREAT-2", reason=Refusal.NOT_ATTESTED)
def calls_as_alice_with_a_key_of_its_own(case: Case) -> None:
    """A certificate for alice, signed by a key that the service made, which nobody attests."""
    script, invitation = invited(case, caller=Actor("alice", key="the service", attested=False))
    script.refuses(S, invitation.message())


@GROUP.vector("IDENT-10", "CALL-21")
def calls_back_with_a_false_key(case: Case) -> None:
    """Alice is pinned; while the phone calls her, a call comes with a key that the directory attests falsely: it is no glare, and is not answered."""
    old = Actor("alice", key="alice's old key")
    script = Script(case, "phone", contacts=[contact(old)])
    values = {"account_id": "alice", "medium": "voice"}
    script.do(S, "call", values=values, sent=["find"], calls=["looking-up"])
    false = Invited(case.id, call_id=b"\xff" * 16)
    script.receive(2 * S, false.message(), told=[ended("busy")], sent=["busy"])
    script.done()


@GROUP.vector("CALL-18", "CALL-15", reason=Refusal.WRONG_GROUP)
def hangs_up_with_another_calls_hangup(case: Case) -> None:
    """`cancelled` of Alice's call before, under the name of this one."""
    script, invitation = ringing(case)
    other = Invited(case.id + " the other")
    old = other.room.say(0, messages.Hangup("cancelled", ""))
    script.refuses(2 * S, messages.Sent(invitation.call_id, old.message, 0))


@GROUP.vector("CALL-20", reason=Refusal.UNKNOWN_CALL)
def hangs_up_a_call_of_no_device(case: Case) -> None:
    """The name of a call that was never here."""
    script, _ = ringing(case)
    other = Invited(case.id + " the other")
    script.refuses(2 * S, other.room.say(0, messages.Hangup("cancelled", "")))


def in_epoch_2(case: Case, call_id: bytes, callee: Actor = PHONE) -> Room:
    """Another group of Alice's and Bob's, in epoch 2."""
    seats = {0: ALICE, 1: callee}
    return Room(case.id, profile_of_two(), call_id, seats, own=1, epoch=2)


# ------------------------------------------------------------------------------- the directory


@GROUP.vector("CALL-2", "IDENT-3", "THREAT-3")
def puts_its_own_device_beside_bobs(case: Case) -> None:
    """With a certificate of an account key of its own: only the phone is called, and the false key is reported, as Bob is known."""
    false = Actor("bob", 3, key="false bob")
    script = claimed(case, PHONE, contacts=[contact(PHONE)])
    told = [event("identity-changed", account_id="bob")]
    script.receive(
        3 * S,
        key_packages(false.bundle("d"), PHONE.bundle("d")),
        told=told,
        sent=["commit", "open"],
        calls=["inviting"],
    )
    script.done()


@GROUP.vector("KEYS-1", "KEYS-2", "CALL-2")
def hands_out_key_packages_of_another_suite(case: Case) -> None:
    """The device asked for those of the X25519 suite."""
    script = claimed(case, PHONE)
    hybrid = Actor("bob", 7, suites=(0x0001, 0xF0E2)).bundle("d", suite=0xF0E2)
    script.receive(3 * S, key_packages(hybrid), told=[ended("unreachable")], calls=[])
    case.features.add("hybrid")
    script.done()


@GROUP.vector("CALL-2", "CALL-15")
def answers_a_claim_for_bob_with_carols(case: Case) -> None:
    """Under Carol's name the answer is refused, under Bob's nobody is called."""
    script = claimed(case, PHONE)
    carol = Actor("carol").bundle("d")
    script.receive(
        3 * S, key_packages(carol, account_id="carol"), refused=Refusal.UNEXPECTED_ANSWER
    )
    script.receive(4 * S, key_packages(carol), told=[ended("unreachable")], calls=[])
    script.done()


@GROUP.vector("IDENT-16", reason=Refusal.NOT_NEWER)
def gives_the_device_an_old_certificate(case: Case) -> None:
    """Its own, which is no newer than that."""
    script = Script(case, "phone")
    script.refuses(S, messages.Certificate(PHONE.certificate, 0))


@GROUP.vector("IDENT-16", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def gives_the_device_anothers_certificate(case: Case) -> None:
    """That of the laptop, which was signed for another key."""
    script = Script(case, "phone")
    script.refuses(S, messages.Certificate(Actor("bob", 2, generation=5).certificate, 0))


# -------------------------------------------------------------------- which device is in the call


@GROUP.vector("CALL-8", "KEYS-17")
def shows_each_device_its_own_answer(case: Case) -> None:
    """The phone is shown its Answer, Alice the laptop's: what Alice says in her epoch 2 does not open, nothing is sent, and 5 s later it is over."""
    script = Script(case, "accepting", calls=["accepting"])
    accepted = in_epoch_2(case, answered().call_id, LAPTOP).say(0, messages.Accepted("v=0 alice"))
    script.receive(S, accepted, refused=Refusal.SENDER_DATA_NOT_AUTHENTIC)
    script.wait(5 * S, told=[ended("answer-failed")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector("CALL-8", "KEYS-17")
def shows_alice_a_second_answer(case: Case) -> None:
    """Both devices answer; the log has one commit an epoch, and the first that is shown is it."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    second = room.logged(room.propose(2, Remove(1)))
    script.receive(
        S, room.commit(1, Remove(2)), told=[room.report()], sent=["alive"], calls=["answered"]
    )
    script.receive(2 * S, second, refused=Refusal.WRONG_EPOCH, media=True)
    script.wait(3 * S)
    script.done()


@GROUP.vector("CALL-12", "CALL-9", reason=Refusal.SENDER_REMOVED)
def passes_on_what_the_removed_device_says(case: Case) -> None:
    """The laptop declines, in epoch 1, after the phone's Answer had removed it."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    late = room.say(2, messages.Hangup("declined", ""))
    script.receive(
        S, room.commit(1, Remove(2)), told=[room.report()], sent=["alive"], calls=["answered"]
    )
    script.refuses(1_100, late)


@GROUP.vector("CALL-8", "CALL-12")
def lets_a_call_ring_again(case: Case) -> None:
    """After the Answer `ringing` of epoch 1 comes: a call never goes back."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    late = room.say(1, messages.Ringing())
    script.receive(
        S, room.commit(1, Remove(2)), told=[room.report()], sent=["alive"], calls=["answered"]
    )
    script.receive(1_100, late, refused=Refusal.NOT_IN_THIS_STATE)
    script.wait(1_200)
    script.done()


# --------------------------------------------------------------------------------- descriptions


@GROUP.vector("SIG-4", "CALL-15", reason=Refusal.WRONG_GROUP)
def swaps_the_callers_description(case: Case) -> None:
    """For that of another call of Alice's: whose media would go elsewhere."""
    script = Script(case, "accepting", calls=["accepting"])
    accepted = in_epoch_2(case, entropy(case.id).random(16)).sealed(0, messages.Accepted("v=0 x"))
    script.refuses(S, messages.Sent(answered().call_id, accepted, 0))


@GROUP.vector("SIG-4", "THREAT-1", reason=Refusal.PRIVATE_MESSAGE_NOT_AUTHENTIC)
def changes_a_bit_of_a_description(case: Case) -> None:
    """The last one."""
    script = Script(case, "accepting", calls=["accepting"])
    room = answered()
    sealed = room.sealed(0, messages.Accepted("v=0 alice"))
    script.refuses(S, messages.Sent(room.call_id, spoilt(sealed, -1), 0))


@GROUP.vector("SIG-4", reason=Refusal.UNKNOWN_MESSAGE)
def describes_a_connection_itself(case: Case) -> None:
    """`accepted` as a service message, in the clear."""
    script = Script(case, "accepting", calls=["accepting"])
    script.refuses(S, encode(messages.Accepted("v=0 the service")))


@GROUP.vector("CALL-28", reason=Refusal.STALE_CONNECTION)
def leads_back_to_an_old_connection(case: Case) -> None:
    """It keeps the caller's first offer of a new connection back until the second one was answered."""
    script, room = live(case)
    first, second = (room.say(0, messages.Reconnect(n, f"v=0 {n}")) for n in (1, 2))
    told = event("connection", number=2, description="v=0 2")
    script.receive(3 * S, second, told=[told])
    values = {"number": 2, "description": "v=0 bob"}
    script.do(4 * S, "answer-connection", values=values, sent=["reconnected"])
    script.refuses(5 * S, first)


# --------------------------------------------------------------------------- the log of the call


@GROUP.vector("CALL-23", "CALL-14", "KEYS-17")
def shows_the_two_sides_different_logs(case: Case) -> None:
    """Alice made two commits of epoch 2, of which the phone is shown one, and follows the other herself: nothing of hers opens, and 45 s after it last heard her the phone sends nothing more."""
    script, room = live(case)
    script.receive(3 * S, alive(room, 3 * S))
    script.receive(10 * S, room.commit(0), told=[room.report()], sent=["alive"])
    hers = answered()
    hers.entropy = entropy(case.id)
    hers.commit(0)
    script.receive(11 * S, alive(hers, 11 * S), refused=Refusal.SENDER_DATA_NOT_AUTHENTIC)
    script.receive(
        30 * S, alive(hers, 30 * S), refused=Refusal.SENDER_DATA_NOT_AUTHENTIC, sent=["alive"]
    )
    script.wait(48 * S, told=[stopped("alone", 0)], sent=["alive"], media=False)
    script.done()


@GROUP.vector("CALL-23", "CALL-12")
def keeps_every_commit_from_one_side(case: Case) -> None:
    """Alice goes on to epoch 3; the phone is shown no commit, and what she says there is refused."""
    script, room = live(case)
    room.commit(0)
    script.receive(3 * S, alive(room, 3 * S), refused=Refusal.EPOCH_NOT_KEPT)
    script.receive(40 * S, room.say(0, HELLO), refused=Refusal.EPOCH_NOT_KEPT, sent=["alive"])
    script.wait(45 * S, told=[stopped("alone", 0)], sent=["alive"], media=False)
    script.done()


@GROUP.vector("DS-11", "CALL-23")
def says_that_alice_is_connected(case: Case) -> None:
    """The service's word makes nobody present."""
    script, room = live(case)
    for at in (10 * S, 20 * S, 30 * S, 40 * S):
        presence = messages.Presence(room.call_id, 0, connected=True)
        script.receive(at, presence, sent=["alive"])
    script.wait(45 * S, told=[stopped("alone", 0)], media=False)
    script.done()


@GROUP.vector("DS-11", "CALL-23")
def says_that_alice_is_away(case: Case) -> None:
    """Nor does it make anybody absent: she is heard, and the call goes on."""
    script, room = live(case)
    script.receive(3 * S, messages.Presence(room.call_id, 0, connected=False))
    script.receive(40 * S, alive(room, 40 * S), sent=["alive"])
    script.wait(84 * S, sent=["alive"])
    script.done()


@GROUP.vector("DS-11", "CALL-15", reason=Refusal.UNEXPECTED_ANSWER)
def says_that_nobody_is_connected(case: Case) -> None:
    """Of a leaf that has no member."""
    script, room = live(case)
    script.refuses(3 * S, messages.Presence(room.call_id, 5, connected=True))


@GROUP.vector("CALL-32", "KEYS-17")
def replays_the_whole_log(case: Case) -> None:
    """Commits that were applied come again, newest first: refused, and nothing has changed."""
    script, room = live(case)
    commits = []
    for at in (3 * S, 4 * S):
        commits.append(room.commit(0))
        script.receive(at, commits[-1], told=[room.report()], sent=["alive"])
    for at, commit in zip((5 * S, 6 * S), reversed(commits), strict=True):
        script.receive(at, commit, refused=Refusal.WRONG_EPOCH)
    script.receive(7 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("CALL-32", "KEYS-17")
def gives_commits_in_another_order(case: Case) -> None:
    """The later one is refused and changes nothing; then both in their order are followed."""
    script, room = live(case)
    first = room.commit(0)
    first_told = room.report()
    second = room.commit(0)
    script.receive(3 * S, second, refused=Refusal.WRONG_EPOCH)
    script.receive(4 * S, first, told=[first_told], sent=["alive"])
    script.receive(5 * S, second, told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("CALL-32", "THREAT-2")
def makes_commits_of_its_own(case: Case) -> None:
    """Another call's, one with a signature that is not Alice's, one without a tag, a Welcome, and no message at all: nothing comes of any, and the honest one is followed."""
    script, room = live(case)
    other = calling()
    honest = room.propose(0).message.encode()
    forged = [
        (other.propose(1, Remove(2)).message.encode(), Refusal.WRONG_GROUP),
        (spoilt(honest, -1), Refusal.MEMBERSHIP_TAG),
        (room.welcome(1), Refusal.WRONG_WIRE_FORMAT),
        (b"", "TRUNCATED"),
    ]
    for number, (data, why) in enumerate(forged):
        script.receive((3 + number) * S, messages.Committed(room.call_id, data, 0), refused=why)
    script.receive(10 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("CALL-15", "THREAT-1")
def says_something_itself(case: Case) -> None:
    """Random bytes, another group's message, a commit, a Welcome; and what Alice said, changed: then what she said opens all the same."""
    script, room = live(case)
    hello = room.sealed(0, HELLO)
    other = in_epoch_2(case, entropy(case.id).random(16))
    forged = [
        (other.sealed(0, HELLO), Refusal.WRONG_GROUP),
        (room.propose(0).message.encode(), Refusal.WRONG_WIRE_FORMAT),
        (room.welcome(1), Refusal.WRONG_WIRE_FORMAT),
        (spoilt(hello, -1), Refusal.PRIVATE_MESSAGE_NOT_AUTHENTIC),
        (hello + b"\0", "TRAILING_BYTES"),
    ]
    for number, (data, why) in enumerate(forged):
        script.receive((3 + number) * S, messages.Sent(room.call_id, data, 0), refused=why)
    script.receive(9 * S, messages.Sent(room.call_id, hello, 0), told=[said(0, "Hello")])
    script.done()


@GROUP.vector("CALL-15")
def says_things_in_another_order(case: Case) -> None:
    """The later text waits for the earlier one."""
    script, room = live(case)
    texts = [room.say(0, messages.Chat(number, f"{number}")) for number in (1, 2, 3)]
    script.receive(3 * S, texts[2])
    script.receive(3_100, texts[1])
    script.receive(3_200, texts[0], told=[said(0, "1"), said(0, "2"), said(0, "3")])
    script.done()


@GROUP.vector("CALL-24")
def holds_everything_back(case: Case) -> None:
    """By 11 s, evenly: people are told, and nothing is rendered."""
    script, room = live(case)
    script.receive(3 * S, alive(room, 3 * S))
    script.receive(
        20 * S,
        alive(room, 9 * S),
        told=[event("lag", leaf=0, milliseconds=11_000, withheld=True)],
        sent=["alive"],
    )
    script.done()


@GROUP.vector(
    "CALL-15",
    "DS-11",
    each={
        "joining": messages.Joining(answered().call_id, lobby=False),
        "added": messages.Added(answered().call_id, answered().welcome(1), 0),
        "turned-away": messages.TurnedAway(answered().call_id),
        "gone": messages.Gone(answered().call_id, bytes(40), 0),
        "voided": messages.Voided(answered().call_id, 2, 0),
        "tree": messages.Tree(answered().call_id, 2, 0, 1, b"\0"),
        "join-requested": messages.JoinRequested(answered().call_id, b"", 0, lobby=False),
        "media-lost": messages.MediaLost(answered().call_id),
        "stored-open": messages.Stored("open", answered().call_id),
    },
)
def says_of_a_call_what_is_of_group_calls(case: Case, message: Any) -> None:
    """It is refused, and the call goes on."""
    script, room = live(case)
    script.receive(3 * S, message, refused=Refusal.UNEXPECTED_ANSWER)
    script.receive(4 * S, room.say(0, HELLO), told=[said(0, "Hello")])
    script.done()


@GROUP.vector(
    "CALL-15",
    reason=Refusal.UNEXPECTED_ANSWER,
    each={
        "devices": messages.Devices("bob", ()),
        "key-packages": messages.KeyPackages("bob", ()),
    },
)
def answers_what_nobody_asked(case: Case, message: Any) -> None:
    """There is no such question."""
    script = Script(case, "phone")
    script.refuses(S, message)


@GROUP.vector("SIG-1", "SIG-2")
def sends_what_is_no_message(case: Case) -> None:
    """With a byte after its end, an unknown name, and a name in a longer form than it needs: refused, and the honest one is taken."""
    script, room = live(case)
    hello = encode(room.say(0, HELLO))
    script.receive(3 * S, hello + b"\0", refused="TRAILING_BYTES")
    script.receive(4 * S, bytes.fromhex("91a5736d656c6c"), refused=Refusal.UNKNOWN_MESSAGE)
    script.receive(5 * S, hello[:1] + b"\xd9\x04" + hello[2:], refused=Refusal.NOT_CANONICAL)
    script.receive(6 * S, hello, told=[said(0, "Hello")])
    script.done()


@GROUP.vector("CALL-13", "CALL-5")
def goes_on_with_a_call_that_is_over(case: Case) -> None:
    """It keeps `hangup` back until it has collected more, and gives the rest afterwards."""
    script, room = live(case)
    late = [room.say(0, HELLO), alive(room, 3 * S)]
    hangup = room.say(0, messages.Hangup("done", ""))
    commit = room.logged(room.propose(0))
    script.receive(3 * S, hangup, told=[ended("done")], calls=[], media=False)
    for message in (*late, commit, hangup):
        script.receive(4 * S, message, refused=Refusal.CALL_ENDED)
    script.wait(80 * S)
    script.done()


@GROUP.vector("CALL-29", "CALL-15")
def refuses_what_was_never_asked(case: Case) -> None:
    """It says that it refused a commit, an invitation and a question: the call goes on."""
    script, room = live(case)
    for number, request in enumerate(("commit", "open", "send")):
        script.receive((3 + number) * S, messages.Refused(request, room.call_id, "NO", ""))
    script.receive(
        6 * S, messages.Refused("find", None, "NO", ""), refused=Refusal.UNEXPECTED_ANSWER
    )
    script.receive(7 * S, room.say(0, HELLO), told=[said(0, "Hello")])
    script.done()


@GROUP.vector("CALL-2", "CALL-29", "CALL-16")
def never_confirms_an_invitation(case: Case) -> None:
    """It takes the group and the commit, and shows nothing: 10 s later the call is given up, and 10 s later it is over."""
    script = placed(case)
    script.wait(2 * S)
    script.wait(11 * S, told=[ended("lost")], calls=[])
    script.done()
