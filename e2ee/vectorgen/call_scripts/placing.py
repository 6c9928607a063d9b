"""Vectors of the chapter Calls: a device places a call, until the callee's devices say something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, Remove
from e2ee.signalling import messages
from e2ee.vectorgen.call_scripts.people import CLOCK, HYBRID, Actor, entropy
from e2ee.vectorgen.call_scripts.refusals import Refusal
from e2ee.vectorgen.call_scripts.ringing import Invited, S, contact
from e2ee.vectorgen.call_scripts.script import Script
from e2ee.vectorgen.call_scripts.states import (
    ALICE,
    LAPTOP,
    PHONE,
    calling,
    ring_calling,
)
from e2ee.vectorgen.call_scripts.told import ended, removed_until
from e2ee.vectorgen.certificates import DAY, NOW
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP"]

GROUP = Group(
    "placing",
    "A script (chapter Calls, Scripts): a device places a call; what it makes of the directory's answers, of the log, and of what the"
    " callee's devices say.",
)

MAKES_OF_IT: dict[str, Any] = {"account_id": "bob", "medium": "video"}


def placed(case: Case, state: str = "caller", **how: Any) -> Script:
    """A script that begins with a call to Bob."""
    script = Script(case, state, **how)
    script.do(S, "call", values=MAKES_OF_IT, sent=["find"], calls=["looking-up"])
    return script


def devices(*actors: Actor, account_id: str = "bob") -> messages.Devices:
    """What the directory says."""
    return messages.Devices(account_id, tuple(actor.certificate for actor in actors))


def key_packages(*bundles: KeyPackageBundle, account_id: str = "bob") -> messages.KeyPackages:
    """The same, for `claim`."""
    encoded = tuple(MLSMessage.of(bundle.key_package).encode() for bundle in bundles)
    return messages.KeyPackages(account_id, encoded)


def claimed(case: Case, *actors: Actor, **how: Any) -> Script:
    """A script that goes on until it has asked for KeyPackages.

    The directory names nobody whom a device could leave out already then: only KeyPackages do.
    """
    script = placed(case, **how)
    script.receive(2 * S, devices(*(actors or (PHONE, LAPTOP))), sent=["claim"], calls=["claiming"])
    return script


def invites(script: Script, *bundles: KeyPackageBundle, **expected: Any) -> None:
    """KeyPackages come, of which one at least can be added."""
    sent = ["commit", "open"]
    script.receive(3 * S, key_packages(*bundles), sent=sent, calls=["inviting"], **expected)


def unreachable(script: Script, *bundles: KeyPackageBundle, told: Sequence[Any] = ()) -> None:
    """KeyPackages come, of which none can be added."""
    script.receive(3 * S, key_packages(*bundles), told=[*told, ended("unreachable")], calls=[])


# ------------------------------------------------------------------------- CALL-2: whom it calls


@GROUP.vector("CALL-1", "CALL-2", "KEYS-17", "CALL-6", "CALL-19")
def call(case: Case) -> None:
    """Directory, KeyPackages, group and invitation; when the log shows that, Bob's devices may ring, for 60 s."""
    script = claimed(case)
    invites(script, PHONE.bundle("d"), LAPTOP.bundle("d"))
    script.own_commit(4 * S, calls=["calling"])
    script.wait(64 * S - 1)
    script.wait(64 * S, told=[ended("timeout")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector("CALL-2")
def call_nobody(case: Case) -> None:
    """The directory knows no device of Bob's."""
    script = placed(case)
    script.receive(2 * S, devices(), told=[ended("unreachable")], calls=[])
    script.done()


@GROUP.vector("CALL-2", "IDENT-3")
def call_without_a_key_package_that_is_not_certified(case: Case) -> None:
    """One KeyPackage has the laptop's certificate and another signature key; the phone is called all the same."""
    script = claimed(case)
    false = Actor("bob", 3)
    false.certificate = LAPTOP.certificate
    invites(script, PHONE.bundle("d"), false.bundle("d"))
    script.done()


@GROUP.vector("CALL-2")
def call_whose_key_packages_are_of_another_account(case: Case) -> None:
    """The directory hands out Mallory's in the place of Bob's."""
    script = claimed(case)
    unreachable(script, Actor("mallory").bundle("d"))
    script.done()


@GROUP.vector("CALL-2", "IDENT-9")
def call_whom_nobody_vouches_for(case: Case) -> None:
    """The service makes a Bob of its own."""
    false = Actor("bob", key="false bob", attested=False)
    script = claimed(case)
    unreachable(script, false.bundle("d"))
    script.done()


@GROUP.vector("IDENT-10")
def call_whose_key_has_changed(case: Case) -> None:
    """Bob is pinned; a device with another attested key is reported and not called."""
    other = Actor("bob", key="another bob")
    script = claimed(case, contacts=[contact(PHONE)])
    unreachable(
        script, other.bundle("d"), told=[{"event": "identity-changed", "account_id": "bob"}]
    )
    script.done()


@GROUP.vector("IDENT-10", "CALL-2")
def call_one_whose_key_has_changed_and_one_whose_has_not(case: Case) -> None:
    """The pinned one is called, the other is reported."""
    other = Actor("bob", 3, key="another bob")
    script = claimed(case, PHONE, contacts=[contact(PHONE)])
    changed = {"event": "identity-changed", "account_id": "bob"}
    invites(script, PHONE.bundle("d"), other.bundle("d"), told=[changed])
    script.done()


@GROUP.vector("IDENT-7", "CALL-2")
def call_a_revoked_device(case: Case) -> None:
    """The laptop's certificate is of generation 0, and generation 1 was seen."""
    newer = Actor("bob", generation=1)
    script = claimed(case, newer, contacts=[contact(PHONE, generation=1)])
    unreachable(script, LAPTOP.bundle("d"))
    script.done()


@GROUP.vector(
    "IDENT-5",
    "CALL-2",
    each={"ended": (NOW - 9 * DAY, NOW - 1), "not-begun": (NOW + 60, NOW + DAY)},
)
def call_a_device_whose_certificate_has(case: Case, dates: tuple[int, int]) -> None:
    """Who invites has no tolerance."""
    old = Actor("bob", 3, not_before=dates[0], not_after=dates[1])
    script = claimed(case)
    unreachable(script, old.bundle("d"))
    script.done()


@GROUP.vector(
    "KEYS-8",
    "CALL-2",
    each={"ended": (NOW - 9 * DAY, NOW - 1), "too-long": (NOW - DAY, NOW + 31 * DAY)},
)
def call_a_device_whose_key_package_has_a_lifetime(case: Case, dates: tuple[int, int]) -> None:
    """That is over, or more than 31 days."""
    script = claimed(case)
    unreachable(script, PHONE.bundle("d", lifetime=Lifetime(*dates)))
    script.done()


@GROUP.vector("KEYS-21", "CALL-2")
def call_with_a_key_package_for_a_group_call(case: Case) -> None:
    """It carries `join`."""
    script = claimed(case)
    unreachable(script, PHONE.joining(entropy(case.id).random(16), None))
    script.done()


@GROUP.vector("IDENT-11", "CALL-2")
def call_a_device_twice(case: Case) -> None:
    """Two KeyPackages of the phone: it is added once."""
    script = claimed(case)
    invites(script, PHONE.bundle("d"), PHONE.bundle("e"))
    script.done()


@GROUP.vector("KEYS-2", "CALL-2")
def call_below_the_own_minimum(case: Case) -> None:
    """Bob's devices have not got the suite that this device insists on."""
    script = Script(case, "hybrid-phone", settings={"minimum_suite": HYBRID})
    values = {"account_id": "alice", "medium": "voice"}
    script.do(S, "call", values=values, sent=["find"], calls=["looking-up"])
    script.receive(2 * S, devices(ALICE, account_id="alice"), told=[ended("unreachable")], calls=[])
    case.features.add("hybrid")
    script.done()


@GROUP.vector("KEYS-2", "CALL-2")
def call_below_what_the_callee_once_had(case: Case) -> None:
    """Alice's devices had the hybrid suite in an earlier call: it calls, and warns."""
    script = Script(case, "hybrid-phone", contacts=[contact(ALICE, highest_suite=HYBRID)])
    values = {"account_id": "alice", "medium": "voice"}
    script.do(S, "call", values=values, sent=["find"], calls=["looking-up"])
    script.receive(2 * S, devices(ALICE, account_id="alice"), sent=["claim"], calls=["claiming"])
    warned = {"event": "suite-lowered", "account_id": "alice", "suite": HYBRID}
    script.receive(
        3 * S,
        key_packages(ALICE.bundle("d"), account_id="alice"),
        told=[warned],
        sent=["commit", "open"],
        calls=["inviting"],
    )
    case.features.add("hybrid")
    script.done()


# ---------------------------------------------------------- CALL-15: answers that were not asked for


@GROUP.vector("CALL-15", reason=Refusal.UNEXPECTED_ANSWER)
def directory_answers_about_somebody_else(case: Case) -> None:
    """The question was about Bob."""
    script = placed(case)
    script.refuses(2 * S, devices(Actor("carol"), account_id="carol"))


@GROUP.vector("CALL-15", reason=Refusal.UNEXPECTED_ANSWER)
def key_packages_before_they_were_asked_for(case: Case) -> None:
    """The directory was asked who there is."""
    script = placed(case)
    script.refuses(2 * S, key_packages(PHONE.bundle("d")))


@GROUP.vector("CALL-15", reason=Refusal.UNEXPECTED_ANSWER)
def directory_answers_twice(case: Case) -> None:
    """The second answer is to nothing."""
    script = claimed(case)
    script.refuses(3 * S, devices(LAPTOP))


# ------------------------------------------------------------------- CALL-29: the service does not answer


@GROUP.vector("CALL-29")
def directory_is_silent(case: Case) -> None:
    """10 s, and not longer."""
    script = placed(case)
    script.wait(11 * S - 1)
    script.wait(11 * S, told=[ended("lost")], calls=[])
    script.done()


@GROUP.vector("CALL-29", "CALL-34")
def log_is_silent(case: Case) -> None:
    """The invitation was sent, and nothing comes of it: it is given up, after it was waited for to take it back."""
    script = claimed(case)
    invites(script, PHONE.bundle("d"))
    script.wait(13 * S, calls=["cancelling"])
    script.wait(23 * S, told=[ended("lost")], calls=[])
    script.done()


@GROUP.vector("CALL-29", "CALL-35")
def service_refuses_the_question(case: Case) -> None:
    """For a reason of its own."""
    script = placed(case)
    script.receive(
        2 * S, messages.Refused("find", None, "RATE_LIMITED", ""), told=[ended("refused")], calls=[]
    )
    script.done()


@GROUP.vector("CALL-35")
def service_refuses_key_packages(case: Case) -> None:
    """Of whoever it is."""
    script = claimed(case)
    refusal = messages.Refused("claim", None, "RATE_LIMITED", "")
    script.receive(3 * S, refusal, told=[ended("refused")], calls=[])
    script.done()


# ------------------------------------------------------------------------ CALL-16: taking it back


@GROUP.vector("CALL-16", "CALL-20")
def hang_up_while_the_invitation_is_on_its_way(case: Case) -> None:
    """`hangup` goes out as soon as the log shows the invitation."""
    script = claimed(case)
    invites(script, PHONE.bundle("d"))
    script.do(4 * S, "hang-up", calls=["cancelling"])
    script.own_commit(5 * S, told=[ended("cancelled")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector("CALL-16")
def hang_up_before_anybody_was_asked(case: Case) -> None:
    """Nobody has heard of it."""
    script = placed(case)
    script.do(2 * S, "hang-up", told=[ended("cancelled")], calls=[])
    script.done()


@GROUP.vector("CALL-21")
def glare_while_the_invitation_is_on_its_way(case: Case) -> None:
    """Alice's call has the larger call_id: the phone answers it, and takes its own back when the log shows that."""
    script = Script(case, "phone")
    values = {"account_id": "alice", "medium": "voice"}
    script.do(S, "call", values=values, sent=["find"], calls=["looking-up"])
    script.receive(2 * S, devices(ALICE, account_id="alice"), sent=["claim"], calls=["claiming"])
    answer_ = key_packages(ALICE.bundle("d"), account_id="alice")
    script.receive(3 * S, answer_, sent=["commit", "open"], calls=["inviting"])
    invitation = Invited(case.id, call_id=b"\xff" * 16)
    script.receive(4 * S, invitation.message(), sent=["commit"], calls=["answering", "cancelling"])
    script.own_commit(5 * S, told=[ended("replaced")], sent=["hangup"], calls=["answering"], of=0)
    script.done()


# --------------------------------------------------------------- what the callee's devices say


@GROUP.vector("CALL-17", "CALL-18")
def both_devices_are_busy(case: Case) -> None:
    """After the first the call goes on; after the second nobody is left."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    script.receive(S, room.say(1, messages.Busy()))
    script.receive(
        2 * S,
        room.say(2, messages.Busy()),
        told=[ended("busy")],
        sent=["hangup cancelled"],
        calls=[],
    )
    script.done()


@GROUP.vector("CALL-18")
def one_device_is_busy_twice(case: Case) -> None:
    """The other one may still answer."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    script.receive(S, room.say(1, messages.Busy()))
    script.receive(2 * S, room.say(1, messages.Busy()))
    script.done()


@GROUP.vector("CALL-20", "CALL-13")
def callee_declines(case: Case) -> None:
    """One device says no for all."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    late = room.say(2, messages.Ringing())
    script.receive(S, room.say(1, messages.Ringing()))
    script.receive(
        2 * S,
        room.say(1, messages.Hangup("declined", "Later.")),
        told=[ended("declined")],
        calls=[],
    )
    script.receive(3 * S, late, refused=Refusal.CALL_ENDED)
    script.wait(4 * S)
    script.done()


@GROUP.vector("CALL-20")
def caller_hangs_up_while_it_rings(case: Case) -> None:
    """Before anybody answered."""
    script = Script(case, "calling", calls=["calling"])
    script.do(S, "hang-up", told=[ended("cancelled")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector("CALL-7", "CALL-11", "CALL-6", "KEYS-11")
def answer(case: Case) -> None:
    """The phone's Answer removes the laptop: epoch 2, and `accepted` with the description; then its description."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    script.receive(S, room.say(1, messages.Ringing()))
    script.receive(
        2 * S,
        room.commit(1, Remove(2)),
        told=[room.report()],
        sent=["alive"],
        calls=["answered"],
    )
    described = {"description": "v=0 alice"}
    script.do(
        3 * S, "describe", values=described, sent=["accepted"], calls=["connecting"], media=True
    )
    script.receive(
        4 * S,
        room.say(1, messages.AnswerDescription("v=0 bob")),
        told=[{"event": "description", "description": "v=0 bob"}, removed_until(CLOCK + 4_250, 2)],
        calls=["live"],
    )
    script.done()


@GROUP.vector("CALL-28", reason=Refusal.STALE_CONNECTION)
def connection_answered_that_nobody_began(case: Case) -> None:
    """Bob's phone answers a new connection, and this device has not offered one."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    script.receive(
        2 * S,
        room.commit(1, Remove(2)),
        told=[room.report()],
        sent=["alive"],
        calls=["answered"],
    )
    described = {"description": "v=0 alice"}
    script.do(
        3 * S, "describe", values=described, sent=["accepted"], calls=["connecting"], media=True
    )
    script.receive(
        4 * S,
        room.say(1, messages.AnswerDescription("v=0 bob")),
        told=[{"event": "description", "description": "v=0 bob"}, removed_until(CLOCK + 4_250, 2)],
        calls=["live"],
    )
    script.refuses(5 * S, room.say(1, messages.Reconnected(1, "v=0 bob")))


@GROUP.vector("CALL-7", "KEYS-3", "CALL-14")
def answer_in_the_hybrid_suite(case: Case) -> None:
    """The same with keys that hold against a quantum computer."""
    script, room = Script(case, "hybrid-calling", calls=["calling"]), calling(HYBRID)
    script.receive(2 * S, room.commit(1), told=[room.report()], sent=["alive"], calls=["answered"])
    script.wait(3 * S, media=True)
    case.features.add("hybrid")
    script.done()


@GROUP.vector("CALL-9")
def answer_description_does_not_come(case: Case) -> None:
    """10 s after the Answer was applied, however late it was accepted."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    script.receive(
        2 * S, room.commit(1, Remove(2)), told=[room.report()], sent=["alive"], calls=["answered"]
    )
    described = {"description": "v=0 alice"}
    script.do(
        6 * S, "describe", values=described, sent=["accepted"], calls=["connecting"], media=True
    )
    script.wait(12 * S - 1)
    script.wait(12 * S, told=[ended("answer-failed")], sent=["hangup"], calls=[], media=False)
    script.done()


@GROUP.vector("GROUP-4")
def ring_group_is_answered(case: Case) -> None:
    """It needs nobody's word: `accepted` goes out at once; with `answer_description` it is over. It never protects media."""
    script, room = Script(case, "ring-calling", calls=["calling"]), ring_calling()
    script.receive(
        2 * S,
        room.commit(1),
        told=[room.report()],
        sent=["accepted", "alive"],
        calls=["connecting"],
    )
    script.receive(
        3 * S,
        room.say(1, messages.AnswerDescription("")),
        told=[ended("done")],
        sent=["hangup"],
        calls=[],
    )
    script.done()


@GROUP.vector("GROUP-4", reason=Refusal.UNEXPECTED_DESCRIPTION)
def ring_group_with_a_description(case: Case) -> None:
    """A ring group connects nobody."""
    script, room = Script(case, "ring-calling", calls=["calling"]), ring_calling()
    script.receive(
        2 * S,
        room.commit(1),
        told=[room.report()],
        sent=["accepted", "alive"],
        calls=["connecting"],
    )
    script.refuses(3 * S, room.say(1, messages.AnswerDescription("v=0 bob")))


@GROUP.vector(
    "GROUP-4",
    reason=Refusal.NOT_IN_THIS_CALL,
    each={
        "chat": messages.Chat(1, "Hello"),
        "media": messages.Media(microphone=True, camera=False, screen=False, on_hold=False),
    },
)
def said_in_a_ring_group(case: Case, message: Any) -> None:
    """Nothing else is said in it."""
    script, room = Script(case, "ring-calling", calls=["calling"]), ring_calling()
    script.receive(
        2 * S,
        room.commit(1),
        told=[room.report()],
        sent=["accepted", "alive"],
        calls=["connecting"],
    )
    script.refuses(3 * S, room.say(1, message))


# ------------------------------------------- KEYS-11, CALL-32: what is no Answer, and who may not say what


@GROUP.vector(
    "KEYS-11",
    "CALL-32",
    each={
        "leaves-the-laptop": (1, ()),
        "removes-the-caller": (1, (Remove(0),)),
        "removes-both": (1, (Remove(0), Remove(2))),
    },
)
def answer_that(case: Case, how: tuple[int, tuple[Remove, ...]]) -> None:
    """A member made it and it is no Answer: the device cannot follow, and the call is over."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    leaf, removes = how
    script.receive(
        S,
        room.logged(room.propose(leaf, *removes)),
        told=[ended("protocol-error")],
        sent=["hangup"],
        calls=[],
    )
    script.done()


@GROUP.vector("KEYS-11", "CALL-32", "KEYS-12")
def answer_that_adds_somebody(case: Case) -> None:
    """Carol."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    adds = room.propose(1, Remove(2), Add(Actor("carol").bundle(case.id).key_package))
    script.receive(S, room.logged(adds), told=[ended("protocol-error")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector("KEYS-12", "CALL-32")
def answer_without_a_path(case: Case) -> None:
    """The removed laptop would know the keys that follow."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    no_path = room.propose(1, Add(Actor("bob", 9).bundle(case.id).key_package), update_path=False)
    script.receive(
        S, room.logged(no_path), told=[ended("protocol-error")], sent=["hangup"], calls=[]
    )
    script.done()


@GROUP.vector("KEYS-13", "CALL-32")
def answer_with_authenticated_data(case: Case) -> None:
    """It is empty in a call between two."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    data = room.propose(1, Remove(2), statements=b"data")
    script.receive(S, room.logged(data), told=[ended("protocol-error")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector(
    "CALL-15",
    "CALL-3",
    reason=Refusal.WRONG_SENDER,
    each={
        "offer": messages.Offer(CLOCK, "video"),
    },
)
def said_by_the_callee_while_it_rings(case: Case, message: Any) -> None:
    """It comes with the invitation, and never later."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    script.refuses(S, room.say(1, message))


@GROUP.vector(
    "CALL-15",
    reason=Refusal.WRONG_EPOCH,
    each={
        "answer-description": messages.AnswerDescription("v=0"),
        "alive": messages.Alive(1, CLOCK),
        "chat": messages.Chat(1, "Hello"),
        "media": messages.Media(microphone=True, camera=True, screen=False, on_hold=False),
    },
)
def said_before_the_call(case: Case, message: Any) -> None:
    """It belongs to epoch 2 and later."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    script.refuses(S, room.say(1, message))


@GROUP.vector(
    "CHAT-10",
    reason=Refusal.WRONG_EPOCH,
    each={
        "reaction": messages.Reaction(0, 1, "+"),
        "typing": messages.Typing(typing=True),
        "receipt": messages.Receipt(0, 1, read=False),
        "live-text": messages.LiveText(1, "Hello"),
        "caption": messages.Caption(1, "Hello", "", final=True),
    },
)
def chat_while_it_rings(case: Case, message: Any) -> None:
    """It is not known yet who answers."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    script.refuses(S, room.say(1, message))


@GROUP.vector("CALL-7", "CALL-15", reason=Refusal.WRONG_SENDER)
def accepted_by_the_callee(case: Case) -> None:
    """It is the caller's to say."""
    script, room = Script(case, "calling", calls=["calling"]), calling()
    script.receive(
        2 * S, room.commit(1, Remove(2)), told=[room.report()], sent=["alive"], calls=["answered"]
    )
    script.refuses(3 * S, room.say(1, messages.Accepted("v=0 mallory")))
