"""Vectors of the chapter Calls: a device that is in a call follows it, from the Answer to the end."""

from __future__ import annotations

from typing import Any

from e2ee.mls.external_joining import external_join
from e2ee.mls.framing import WireFormat
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.proposal import Add, Remove
from e2ee.signalling import messages
from e2ee.testing.mls_members import sending
from e2ee.vectorgen.call_scripts.people import CLOCK, Actor
from e2ee.vectorgen.call_scripts.refusals import Refusal
from e2ee.vectorgen.call_scripts.ringing import Invited, S
from e2ee.vectorgen.call_scripts.room import Room
from e2ee.vectorgen.call_scripts.script import Script
from e2ee.vectorgen.call_scripts.states import (
    GROUP_OFFER,
    answered,
    phone_bundles,
    ring_answered,
)
from e2ee.vectorgen.call_scripts.told import ended, event, said, stopped
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP", "live"]

GROUP = Group(
    "following",
    "A script (chapter Calls, Scripts): Bob's phone has answered Alice's call, and follows it to its end.",
)

MINUTE = 60 * S

DESCRIBED = messages.Accepted("v=0 alice")


def accepting(case: Case) -> tuple[Script, Room]:
    """A script that begins in epoch 2, before `accepted`."""
    return Script(case, "accepting", calls=["accepting"]), answered()


def described(script: Script, room: Room) -> None:
    """The first two steps: `accepted` comes, and is answered."""
    description = event("description", description="v=0 alice")
    script.receive(S, room.say(0, DESCRIBED), told=[description], calls=["describing"], media=True)
    script.do(
        2 * S,
        "describe",
        values={"description": "v=0 bob"},
        sent=["answer_description"],
        calls=["live"],
    )


def live(case: Case) -> tuple[Script, Room]:
    """A script that begins with a call in which both are."""
    script, room = accepting(case)
    described(script, room)
    return script, room


def alive(room: Room, at: int, *, leaf: int = 0, late: int = 0) -> messages.Sent:
    """`alive` of the epoch, by a clock that is like ours."""
    return room.say(leaf, messages.Alive(room.epoch, CLOCK + at - late))


def keep_alive(script: Script, room: Room, since: int, until: int, step: int = 30 * S) -> None:
    """Alice says `alive` from ``since`` to ``until``; the phone says so every 15 s."""
    for at in range(since, until + 1, step):
        script.receive(at, alive(room, at), sent=["alive"])


# ----------------------------------------------------------------------- CALL-8: accepted


@GROUP.vector("CALL-7", "CALL-8", "CALL-9")
def accepted(case: Case) -> None:
    """Media from here on, and not before; then its own description."""
    script, _ = live(case)
    script.done()


@GROUP.vector("CALL-8", "CALL-9")
def accepted_does_not_come(case: Case) -> None:
    """5 s after the Answer was applied; no media meanwhile."""
    script, _ = accepting(case)
    script.wait(5 * S - 1)
    script.wait(5 * S, told=[ended("answer-failed")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector("CALL-8", "CALL-15", reason=Refusal.NOT_IN_THIS_STATE)
def accepted_twice(case: Case) -> None:
    """Another description of the caller's."""
    script, room = live(case)
    script.refuses(3 * S, room.say(0, messages.Accepted("v=0 another")))


@GROUP.vector("CALL-7", "CALL-8", reason=Refusal.WRONG_EPOCH)
def accepted_in_epoch_3(case: Case) -> None:
    """Epoch 2 is the one in which it is said."""
    script, room = accepting(case)
    script.receive(S, room.commit(0), told=[room.report()], sent=["alive"])
    script.refuses(2 * S, room.say(0, DESCRIBED))


@GROUP.vector("CALL-7", "CALL-8", "CALL-12")
def accepted_late_in_epoch_3(case: Case) -> None:
    """It was said in epoch 2, and came after the next commit: late messages are opened."""
    script, room = accepting(case)
    late = room.say(0, DESCRIBED)
    script.receive(S, room.commit(0), told=[room.report()], sent=["alive"])
    description = event("description", description="v=0 alice")
    script.receive(2 * S, late, told=[description], calls=["describing"], media=True)
    script.done()


@GROUP.vector("SIG-4", "CALL-15", reason=Refusal.WRONG_SENDER)
def answer_description_by_the_caller(case: Case) -> None:
    """It is the callee's to say."""
    script, room = live(case)
    script.refuses(3 * S, room.say(0, messages.AnswerDescription("v=0")))


@GROUP.vector("GROUP-4", "GROUP-6", "CALL-8")
def ring_group_is_accepted(case: Case) -> None:
    """Now the phone may ask to join the group call, and not before; the ring group is over 10 s later."""
    script, room = Script(case, "ring-accepting", calls=["accepting"]), ring_answered()
    script.wait(S)
    script.receive(
        2 * S,
        room.say(0, messages.Accepted("")),
        sent=["answer_description", "join"],
        calls=["asking", "handed-over"],
    )
    script.receive(
        3 * S,
        messages.Joining(GROUP_OFFER.group_call_id, lobby=True),
        calls=["handed-over", "in-lobby"],
    )
    script.wait(12 * S, told=[ended("done")], sent=["hangup"], calls=["in-lobby"])
    script.done()


@GROUP.vector("GROUP-6", "CALL-9")
def ring_group_is_not_accepted(case: Case) -> None:
    """Then it asks nobody."""
    script, _ = Script(case, "ring-accepting", calls=["accepting"]), ring_answered()
    script.wait(5 * S, told=[ended("answer-failed")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector("GROUP-4", "GROUP-6", reason=Refusal.UNEXPECTED_DESCRIPTION)
def ring_group_is_accepted_with_a_description(case: Case) -> None:
    """A ring group connects nobody."""
    script, room = Script(case, "ring-accepting", calls=["accepting"]), ring_answered()
    script.refuses(S, room.say(0, DESCRIBED))


# --------------------------------------------------------------------------- epochs


@GROUP.vector("KEYS-11", "KEYS-15", "CALL-11", "CALL-14")
def epochs(case: Case) -> None:
    """Timed commits of Alice's: each new epoch has a code of its own."""
    script, room = live(case)
    for at in (3 * S, 4 * S):
        script.receive(at, room.commit(0), told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector(
    "KEYS-11",
    "KEYS-13",
    "CALL-32",
    each={
        "adds-a-device-of-ones-own": "add",
        "removes-the-other": "remove",
        "changes-the-profile": "change",
        "has-authenticated-data": "data",
    },
)
def commit_that(case: Case, what: str) -> None:
    """From epoch 2 on a commit has no proposals."""
    script, room = live(case)
    proposals: dict[str, tuple[Any, ...]] = {
        "add": (Add(Actor("alice", 2).bundle(case.id).key_package),),
        "remove": (Remove(1),),
        "change": (room.change(hosts=(Actor("alice").account_key,)),),
        "data": (),
    }
    made = room.propose(0, *proposals[what], statements=b"data" if what == "data" else b"")
    script.receive(
        3 * S,
        room.logged(made),
        told=[ended("protocol-error")],
        sent=["hangup"],
        calls=[],
        media=False,
    )
    script.done()


def spoilt(data: bytes, position: int) -> bytes:
    """With one bit of it flipped."""
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


@GROUP.vector("CALL-32", reason=Refusal.MEMBERSHIP_TAG)
def commit_with_another_membership_tag(case: Case) -> None:
    """Alice signed it, and the tag, its last bytes, is wrong: not one that a member signed and tagged."""
    script, room = live(case)
    script.refuses(3 * S, room.logged(spoilt(room.propose(0).message.encode(), -1)))


@GROUP.vector("CALL-32", "KEYS-17", reason=Refusal.WRONG_EPOCH)
def commit_of_an_epoch_that_is_over(case: Case) -> None:
    """The service gives the log out of order, or again."""
    script, room = live(case)
    commit = room.commit(0)
    script.receive(3 * S, commit, told=[room.report()], sent=["alive"])
    script.refuses(4 * S, commit)


@GROUP.vector("CALL-32", reason=Refusal.WRONG_EPOCH)
def commit_of_an_epoch_to_come(case: Case) -> None:
    """The one before it did not come."""
    script, room = live(case)
    room.commit(0)
    script.refuses(3 * S, room.commit(0))


@GROUP.vector("KEYS-5", "CALL-32", reason=Refusal.WRONG_WIRE_FORMAT)
def commit_as_private_message(case: Case) -> None:
    """Handshake messages are public."""
    script, room = live(case)
    sealed = room.propose(0, wire_format=WireFormat.PRIVATE_MESSAGE)
    script.refuses(3 * S, room.logged(sealed))


@GROUP.vector("KEYS-5", reason=Refusal.NOT_APPLICATION_DATA)
def commit_as_application_data(case: Case) -> None:
    """A handshake message in a PrivateMessage, as `sent`."""
    script, room = live(case)
    sealed = room.propose(0, wire_format=WireFormat.PRIVATE_MESSAGE).message.encode()
    script.refuses(3 * S, messages.Sent(room.call_id, sealed, 0))


@GROUP.vector("KEYS-5", "KEYS-13", reason=Refusal.NOT_A_COMMIT)
def proposal_in_the_log(case: Case) -> None:
    """Proposals come by value, in a commit."""
    script, room = live(case)
    proposed = room.groups[0].propose(Remove(1), policy=sending(CLOCK), entropy=room.entropy)
    script.refuses(3 * S, room.logged(proposed.message.encode()))


@GROUP.vector("CALL-32", "KEYS-13", reason=Refusal.EXTERNAL_SENDER)
def commit_from_outside(case: Case) -> None:
    """Somebody joins by an external commit, with the GroupInfo that the service has."""
    script, room = live(case)
    info = room.groups[0].group_info().body
    assert isinstance(info, GroupInfo)  # noqa: S101
    bundle = Actor("carol").bundle(case.id)
    joined = external_join(info, bundle, policy=sending(CLOCK), entropy=room.entropy)
    script.refuses(3 * S, room.logged(joined.message.encode()))


# --------------------------------------------------------------- CALL-12: what was said when


@GROUP.vector("CALL-12", "CHAT-10")
def said_in_epochs_before(case: Case) -> None:
    """Two epochs back, and 10 s after the end of each, all the same in any order."""
    script, room = live(case)
    first = room.say(0, messages.Chat(1, "first"))
    script.receive(3 * S, room.commit(0), told=[room.report()], sent=["alive"])
    second = room.say(0, messages.Chat(2, "second"))
    script.receive(4 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.receive(5 * S, first, told=[said(0, "first")])
    script.receive(14 * S - 1, second, told=[said(0, "second")])
    script.done()


@GROUP.vector("CALL-12", reason=Refusal.EPOCH_NOT_KEPT)
def said_in_an_epoch_that_ended_10_s_ago(case: Case) -> None:
    """Too late."""
    script, room = live(case)
    late = room.say(0, messages.Chat(1, "late"))
    script.receive(3 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.refuses(13 * S, late)


@GROUP.vector("CALL-12", reason=Refusal.EPOCH_NOT_KEPT)
def said_three_epochs_ago(case: Case) -> None:
    """Two are kept."""
    script, room = live(case)
    late = room.say(0, messages.Chat(1, "late"))
    for at in (3 * S, 4 * S, 5 * S):
        script.receive(at, room.commit(0), told=[room.report()], sent=["alive"])
    script.refuses(6 * S, late)


@GROUP.vector("CALL-12", reason=Refusal.EPOCH_NOT_KEPT)
def said_in_an_epoch_to_come(case: Case) -> None:
    """Its commit did not come."""
    script, room = live(case)
    room.commit(0)
    script.refuses(3 * S, room.say(0, messages.Chat(1, "early")))


@GROUP.vector("CALL-15", reason=Refusal.GENERATION_CONSUMED)
def said_again(case: Case) -> None:
    """The service gives the same bytes twice."""
    script, room = live(case)
    hello = room.say(0, messages.Chat(1, "Hello"))
    script.receive(3 * S, hello, told=[said(0, "Hello")])
    script.refuses(4 * S, hello)


@GROUP.vector("SIG-1", "SIG-2", reason=Refusal.UNKNOWN_MESSAGE)
def said_with_an_unknown_name(case: Case) -> None:
    """Sealed by Alice."""
    script, room = live(case)
    script.refuses(3 * S, room.say(0, bytes.fromhex("91a5736d656c6c")))


@GROUP.vector("CALL-15", "CALL-20", reason=Refusal.NOT_IN_THIS_CALL)
def said_of_another_kind_of_call(case: Case) -> None:
    """`removing` is said in group calls."""
    script, room = live(case)
    script.refuses(3 * S, room.say(0, messages.Removing(1)))


# ------------------------------------------------------------------- CALL-11, CALL-23, CALL-27


@GROUP.vector("CALL-11")
def alive_every_15_s(case: Case) -> None:
    """From the epoch's beginning, and when a new one begins, and so on from then."""
    script, room = live(case)
    script.wait(15 * S - 1)
    script.wait(15 * S, sent=["alive"])
    script.receive(20 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.wait(35 * S - 1)
    script.wait(35 * S, sent=["alive"])
    script.done()


@GROUP.vector("CALL-11")
def alive_when_the_other_comes_back(case: Case) -> None:
    """The service says that Alice has logged in: the next `alive` comes a second after the last."""
    script, room = live(case)
    script.wait(15 * S, sent=["alive"])
    script.receive(15 * S + 500, messages.Presence(room.call_id, 0, connected=True))
    script.wait(16 * S - 1)
    script.wait(16 * S, sent=["alive"])
    script.done()


@GROUP.vector("CALL-23")
def alone(case: Case) -> None:
    """For three periods nothing has shown that Alice is in this branch: nothing is sent, until she is heard."""
    script, room = live(case)
    script.wait(45 * S - 1, sent=["alive"])
    script.wait(45 * S, told=[stopped("alone", 0)], sent=["alive"], media=False)
    script.receive(50 * S, alive(room, 50 * S), told=[event("resumed")], media=True)
    script.done()


@GROUP.vector("CALL-23")
def alone_although_she_talks(case: Case) -> None:
    """Texts and media show no branch; that a new epoch begins by a commit of one's own branch shows nothing either."""
    script, room = live(case)
    script.receive(
        30 * S, room.say(0, messages.Chat(1, "Hello")), told=[said(0, "Hello")], sent=["alive"]
    )
    script.wait(45 * S, told=[stopped("alone", 0)], sent=["alive"], media=False)
    script.done()


@GROUP.vector("CALL-23", "CALL-11")
def alive_of_an_earlier_epoch(case: Case) -> None:
    """It shows that she was here as long as that epoch was the newest, until 20 s."""
    script, room = live(case)
    late = alive(room, 19 * S)
    commit = room.commit(0)
    script.receive(20 * S, commit, told=[room.report()], sent=["alive 2", "alive"])
    script.receive(25 * S, late)
    script.wait(65 * S - 1, sent=["alive"])
    script.wait(65 * S, told=[stopped("alone", 0)], sent=["alive"], media=False)
    script.done()


@GROUP.vector("CALL-11", reason=Refusal.WRONG_EPOCH)
def alive_for_another_epoch(case: Case) -> None:
    """It names epoch 3, and was said in epoch 2."""
    script, room = live(case)
    script.refuses(3 * S, room.say(0, messages.Alive(3, CLOCK + 3 * S)))


@GROUP.vector("CALL-27", "KEYS-15")
def epoch_that_does_not_end(case: Case) -> None:
    """After 10 min the phone, whose turn it is second, commits, in vain; after 11 min it sends nothing more."""
    script, room = live(case)
    keep_alive(script, room, 30 * S, 570 * S)
    script.receive(600 * S, alive(room, 600 * S), sent=["alive"])
    script.receive(630 * S, alive(room, 630 * S), sent=["alive", "commit"])
    script.wait(660 * S - 1, sent=["alive"])
    script.wait(660 * S, told=[stopped("epoch-too-old")], sent=["alive"], media=False)
    script.done()


@GROUP.vector("CALL-27", "KEYS-15")
def epoch_ends_when_it_is_another_ones_turn(case: Case) -> None:
    """Epoch 2 of two members is rank 0's to end, Alice's: the phone waits for her."""
    script, room = live(case)
    keep_alive(script, room, 30 * S, 570 * S)
    script.receive(600 * S, alive(room, 600 * S), sent=["alive"])
    script.receive(601 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.done()


# ----------------------------------------------------------------------------- CALL-24: lag


@GROUP.vector("CALL-24")
def lag(case: Case) -> None:
    """2 s are shown to nobody; above that people are told, above 10 s nothing is rendered."""
    script, room = live(case)
    script.receive(3 * S, alive(room, 3 * S, late=100))
    script.receive(6 * S, alive(room, 6 * S, late=2_100))
    script.receive(
        9 * S,
        alive(room, 9 * S, late=2_101),
        told=[event("lag", leaf=0, milliseconds=2_001, withheld=False)],
    )
    script.receive(
        12 * S,
        alive(room, 12 * S, late=10_100),
        told=[event("lag", leaf=0, milliseconds=10_000, withheld=False)],
    )
    script.receive(
        14 * S,
        alive(room, 14 * S, late=10_101),
        told=[event("lag", leaf=0, milliseconds=10_001, withheld=True)],
    )
    script.receive(14 * S + 1, alive(room, 14 * S + 1, late=100))
    script.done()


@GROUP.vector("CALL-24")
def clocks_that_differ(case: Case) -> None:
    """Her clock is an hour ahead: only growth counts."""
    script, room = live(case)
    for at in (3 * S, 13 * S):
        script.receive(at, alive(room, at, late=-3600 * S))
    script.done()


# ------------------------------------------------------------------------ CALL-26, CALL-28


@GROUP.vector("CALL-26")
def media(case: Case) -> None:
    """What she sends from now on."""
    script, room = live(case)
    on = {"microphone": True, "camera": False, "screen": True, "on_hold": False}
    script.receive(
        3 * S, room.say(0, messages.Media(*on.values())), told=[event("media", leaf=0, **on)]
    )
    held = {"microphone": False, "camera": False, "screen": False, "on_hold": True}
    script.receive(
        4 * S, room.say(0, messages.Media(*held.values())), told=[event("media", leaf=0, **held)]
    )
    script.done()


@GROUP.vector("CALL-28")
def connections(case: Case) -> None:
    """The caller offers one, and then another one before the first was answered."""
    script, room = live(case)
    for number in (1, 2):
        told = event("connection", number=number, description=f"v=0 {number}")
        script.receive(
            (2 + number) * S, room.say(0, messages.Reconnect(number, f"v=0 {number}")), told=[told]
        )
    values = {"number": 2, "description": "v=0 bob"}
    script.do(5 * S, "answer-connection", values=values, sent=["reconnected"])
    script.done()


@GROUP.vector("CALL-28", reason=Refusal.STALE_CONNECTION, each={"the-first-again": 1, "0": 0})
def connection_with_a_number_that_is_not_above(case: Case, number: int) -> None:
    """Of every earlier one."""
    script, room = live(case)
    told = event("connection", number=1, description="v=0 1")
    script.receive(3 * S, room.say(0, messages.Reconnect(1, "v=0 1")), told=[told])
    script.refuses(4 * S, room.say(0, messages.Reconnect(number, "v=0 again")))


@GROUP.vector("CALL-28", reason=Refusal.STALE_CONNECTION)
def connection_answered_that_is_not_the_newest(case: Case) -> None:
    """The application answers the first of two."""
    script, room = live(case)
    for number in (1, 2):
        told = event("connection", number=number, description=f"v=0 {number}")
        script.receive(
            (2 + number) * S, room.say(0, messages.Reconnect(number, f"v=0 {number}")), told=[told]
        )
    script.refuses_to(5 * S, "answer-connection", number=1, description="v=0 bob")


@GROUP.vector("CALL-28", reason=Refusal.WRONG_SENDER)
def connection_answered_by_the_caller(case: Case) -> None:
    """It is the answering device's to say."""
    script, room = live(case)
    script.refuses(3 * S, room.say(0, messages.Reconnected(1, "v=0")))


# ------------------------------------------------------------------------------- the end


@GROUP.vector(
    "CALL-13",
    "CALL-20",
    each={
        "done": "done",
        "answer-failed": "answer-failed",
        "protocol-error": "protocol-error",
        "revoked": "revoked",
    },
)
def other_side_hangs_up(case: Case, reason: str) -> None:
    """The call is over, and nothing more of it is taken."""
    script, room = live(case)
    late, commit = room.say(0, messages.Chat(1, "late")), room.logged(room.propose(0))
    script.receive(
        3 * S, room.say(0, messages.Hangup(reason, "")), told=[ended(reason)], calls=[], media=False
    )
    script.receive(4 * S, late, refused=Refusal.CALL_ENDED)
    script.receive(4 * S, commit, refused=Refusal.CALL_ENDED)
    script.wait(5 * S)
    script.done()


@GROUP.vector("CALL-13", reason=Refusal.CALL_ENDED)
def said_after_the_end(case: Case) -> None:
    """By who hung up, before it did."""
    script, room = live(case)
    late = room.say(0, messages.Chat(1, "late"))
    script.receive(
        3 * S, room.say(0, messages.Hangup("done", "")), told=[ended("done")], calls=[], media=False
    )
    script.refuses(4 * S, late)


@GROUP.vector(
    "CALL-20",
    reason=Refusal.WRONG_EPOCH,
    each={"cancelled": "cancelled", "timeout": "timeout", "replaced": "replaced"},
)
def other_side_hangs_up_as_before_an_answer(case: Case, reason: str) -> None:
    """These belong to epoch 1."""
    script, room = live(case)
    script.refuses(3 * S, room.say(0, messages.Hangup(reason, "")))


@GROUP.vector("CALL-13")
def this_side_hangs_up(case: Case) -> None:
    """At once."""
    script, _ = live(case)
    script.do(3 * S, "hang-up", told=[ended("done")], sent=["hangup"], calls=[], media=False)
    script.done()


@GROUP.vector("CALL-33", "IDENT-7", "CALL-5")
def device_of_the_other_side_is_revoked(case: Case) -> None:
    """An invitation of Alice's other device comes, with generation 1: the call with generation 0 is over, and this one may ring."""
    script = Script(case, "accepting-and-waiting", calls=["accepting"])
    room = answered()
    described(script, room)
    newer = Invited(case.id, caller=Actor("alice", 2, generation=1), bundle=phone_bundles()[0])
    script.receive(
        3 * S,
        newer.message(),
        told=[
            ended("revoked"),
            event("rings", account_id="alice", medium="video", contact="unverified"),
        ],
        sent=["hangup", "ringing"],
        calls=["ringing"],
        media=False,
    )
    script.done()


@GROUP.vector("CALL-29")
def service_refuses_what_is_said(case: Case) -> None:
    """That ends no call."""
    script, room = live(case)
    script.receive(3 * S, messages.Refused("send", room.call_id, "RATE_LIMITED", ""))
    script.done()


@GROUP.vector("CALL-15", reason=Refusal.UNKNOWN_CALL)
def said_in_a_call_that_never_was(case: Case) -> None:
    """Of no call of this device's."""
    script, room = live(case)
    stray = room.say(0, messages.Chat(1, "Hello"))
    script.refuses(3 * S, messages.Sent(bytes(16), stray.message, 0))


@GROUP.vector("DS-9", "CALL-15")
def number_of_the_mailbox_twice(case: Case) -> None:
    """A number is taken once a connection: what comes under it again is passed over without a word, whatever it is."""
    script, room = live(case)
    hello = room.say(0, messages.Chat(1, "Hello"), number=7)
    script.receive(3 * S, hello, told=[said(0, "Hello")])
    script.receive(4 * S, hello)
    script.receive(5 * S, room.say(0, messages.Chat(2, "again"), number=7))
    script.receive(6 * S, room.say(0, messages.Chat(2, "again"), number=8), told=[said(0, "again")])
    script.done()
