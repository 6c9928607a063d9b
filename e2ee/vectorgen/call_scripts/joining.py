"""Vectors of the chapter Group calls: a device asks to be let in, and what it takes for the call that it asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from e2ee.mls.extension import Extension, ExtensionType
from e2ee.signalling import messages
from e2ee.testing.mls_forge.welcomes import Welcoming
from e2ee.vectorgen.call_profiles import ADMITTED, ONE_TO_ONE
from e2ee.vectorgen.call_scripts.group_states import (
    ALICE,
    BOB,
    CALL_ID,
    CAROL,
    LINK_OF_CALL,
    added,
    admitted,
    hybrid,
    meeting,
    profile_of_group,
)
from e2ee.vectorgen.call_scripts.people import Actor, Link, entropy
from e2ee.vectorgen.call_scripts.refusals import Refusal
from e2ee.vectorgen.call_scripts.ringing import S
from e2ee.vectorgen.call_scripts.room import Room
from e2ee.vectorgen.call_scripts.script import Script
from e2ee.vectorgen.call_scripts.told import ended, event
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP"]

CHAPTER_NAME = "group-calls"

GROUP = Group(
    "joining",
    "A script (chapter Calls, Scripts): a device creates a group call, or has asked to be let into one, and what it makes of what comes.",
)


def asking(case: Case, state: str = "joiner", **how: Any) -> Script:
    """A script that begins with a device that asks."""
    return Script(case, state, calls=["asking"], **how)


def joins(script: Script, room: Room, at: int = S, **expected: Any) -> None:
    """It is added, and in."""
    usual: dict[str, Any] = {
        "told": [room.report()],
        "sent": ["alive"],
        "calls": ["in-call"],
    }
    script.receive(at, added(room), **(usual | expected))


# --------------------------------------------------------------------------- GROUP-11: a Welcome


@GROUP.vector("GROUP-11", "GROUP-2", "GROUP-3", "KEYS-19", "CALL-11")
def added_by_a_link(case: Case) -> None:
    """Who made the group has the link, and every epoch protects media."""
    script = asking(case)
    joins(script, meeting())
    script.wait(2 * S, media=True)
    script.done()


@GROUP.vector("GROUP-11", "GROUP-7", "KEYS-3")
def added_in_the_hybrid_suite(case: Case) -> None:
    """The PSK is as long as the suite's hash."""
    script = asking(case, "hybrid-joiner")
    joins(script, hybrid())
    case.features.add("hybrid")
    script.done()


@GROUP.vector("GROUP-11")
def added_to_a_call_of_which_a_host_was_told(case: Case) -> None:
    """No frames before Alice has said something in it; what Bob says does not count."""
    script, room = asking(case, "told-joiner"), admitted()
    joins(script, room, media=False)
    script.receive(2 * S, room.say(1, messages.Alive(5, 0)), media=False)
    script.receive(
        3 * S, room.say(0, messages.Hand(raised=False)), told=[event("resumed")], media=True
    )
    script.done()


@GROUP.vector("GROUP-11", reason=Refusal.HOST_NOT_THERE)
def added_to_a_group_without_the_host_that_was_told(case: Case) -> None:
    """Mallory is its host, and Alice has no leaf."""
    mallory = Actor("mallory")
    profile = profile_of_group(
        hosts=(mallory.account_key, ALICE.account_key), link_id=b"", join_policy=ADMITTED
    )
    room = meeting(case.id, seats={0: mallory, 1: BOB, 2: CAROL}, link=None, profile=profile)
    asking(case, "told-joiner").refuses(S, added(room))


@GROUP.vector("GROUP-11", reason=Refusal.HOST_NOT_THERE)
def added_to_a_group_in_which_the_told_one_is_no_host(case: Case) -> None:
    """Alice has a leaf, and Bob is the host."""
    profile = profile_of_group(
        hosts=(BOB.account_key,),
        accounts=(ALICE.account_key, CAROL.account_key),
        link_id=b"",
        join_policy=ADMITTED,
    )
    asking(case, "told-joiner").refuses(S, added(meeting(case.id, link=None, profile=profile)))


@GROUP.vector("GROUP-11", reason=Refusal.WRONG_CALL_ID)
def added_to_another_group(case: Case) -> None:
    """The link's PSK is in it; its group_id is another."""
    asking(case).refuses(S, added(meeting(case.id, group_id=entropy(case.id).random(16))))


@GROUP.vector("GROUP-11", "GROUP-3", reason=Refusal.REQUIRED_PSK_MISSING)
def added_without_the_links_psk(case: Case) -> None:
    """Who has not the link could have made this Welcome: its profile names the link."""
    room = meeting(case.id, link=None, own_bundle=meeting().own_bundle)
    asking(case).refuses(S, added(room))


@GROUP.vector("GROUP-11", "GROUP-3")
def added_with_another_links_psk(case: Case) -> None:
    """It names a PSK that this device has not: what it asked for may still come."""
    other = Link(CALL_ID, entropy(case.id).random(32))
    room = meeting(case.id, link=other, own_bundle=meeting().own_bundle)
    script = asking(case)
    script.receive(S, added(room), refused=Refusal.REQUIRED_PSK_MISSING)
    joins(script, meeting(), 2 * S)
    script.done()


@GROUP.vector(
    "GROUP-11",
    reason=Refusal.WRONG_LINK,
    each={
        "another-link": {"link_id": Link(CALL_ID, bytes(32)).psk_id},
        "another-policy": {
            "link_id": b"",
            "join_policy": ADMITTED,
            "accounts": (BOB.account_key, CAROL.account_key),
        },
    },
)
def added_to_a_call_with(case: Case, values: Mapping[str, Any]) -> None:
    """It came by a link with a secret, whose PSK is in the Welcome, and the profile says otherwise."""
    asking(case).refuses(S, added(meeting(case.id, profile=profile_of_group(**values))))


@GROUP.vector(
    "GROUP-11",
    "KEYS-19",
    reason=Refusal.BAD_CALL_PROFILE,
    each={
        "without-a-host": {"hosts": ()},
        "with-a-banned-host": {"banned": (ALICE.account_key,)},
        "with-a-host-twice": {"hosts": (ALICE.account_key,) * 2},
        "of-two": {"kind": ONE_TO_ONE},
        "with-signed-lists": {"signed_lists": 1},
        "with-other-kid-bits": {"E": 5},
    },
)
def added_to_a_call_whose_profile_is_one(case: Case, values: Mapping[str, Any]) -> None:
    """Of no group call."""
    profile = profile_of_group(**values)
    asking(case).refuses(S, added(meeting(case.id, profile=profile)))


@GROUP.vector("GROUP-11", "KEYS-9", reason=Refusal.UNEXPECTED_EXTENSION)
def added_to_a_group_with_another_extension(case: Case) -> None:
    """External senders could propose anything."""
    more = (Extension(ExtensionType.EXTERNAL_SENDERS, b"\0"),)
    asking(case).refuses(S, added(meeting(case.id, more=more)))


@GROUP.vector("GROUP-11", "GROUP-7", reason=Refusal.NOT_ASKED_FOR)
def added_with_a_key_package_that_it_never_made(case: Case) -> None:
    """For another device, or an older request."""
    bundle = CAROL.joining(CALL_ID, LINK_OF_CALL, "another")
    asking(case).refuses(S, added(meeting(case.id, own_bundle=bundle)))


@GROUP.vector("GROUP-11", reason=Refusal.NOT_ASKED_FOR)
def added_twice(case: Case) -> None:
    """The same Welcome again."""
    script = asking(case)
    joins(script, meeting())
    script.refuses(2 * S, added(meeting()))


@GROUP.vector("GROUP-7", "GROUP-11", "GROUP-27")
def added_by_the_first_of_several_requests(case: Case) -> None:
    """It has asked twice more by then."""
    script = asking(case)
    script.wait(7 * S, sent=["join"])
    joins(script, meeting(), 8 * S)
    script.done()


@GROUP.vector("GROUP-27", reason=Refusal.NOT_ASKED_FOR)
def added_by_a_request_that_is_too_old(case: Case) -> None:
    """Nobody adds a KeyPackage after so long: its private keys are gone."""
    script = asking(case)
    script.wait(123 * S, sent=["join"])
    script.refuses(123 * S + 1, added(meeting()))


# ---------------------------------------------------------------------- GROUP-11: the tree


def without_tree(room: Room) -> messages.Added:
    """A Welcome whose GroupInfo has no tree."""
    return messages.Added(CALL_ID, room.welcome(2, Welcoming(ratchet_tree=False)), 0)


def part(room: Room, start: int, end: int | None = None, **changes: Any) -> messages.Tree:
    """A part of the tree."""
    values: dict[str, Any] = {
        "call_id": CALL_ID,
        "epoch": 5,
        "offset": start,
        "size": len(room.tree),
        "data": room.tree[start:end],
    }
    return messages.Tree(**(values | changes))


def fetching(case: Case) -> tuple[Script, Room]:
    """A script that begins with a Welcome without a tree."""
    script, room = asking(case), meeting()
    script.receive(S, without_tree(room), sent=["ask_tree"], calls=["fetching"])
    return script, room


@GROUP.vector("GROUP-11", "DS-21")
def tree_in_two_parts(case: Case) -> None:
    """What came of the call meanwhile is looked at when the tree is there."""
    script, room = fetching(case)
    told = room.report()
    script.receive(2 * S, part(room, 0, 500), sent=["ask_tree"])
    script.receive(3 * S, room.say(0, messages.Hand(raised=True)))
    hand = event("hand", leaf=0, raised=True)
    script.receive(4 * S, part(room, 500), told=[told, hand], sent=["alive"], calls=["in-call"])
    script.done()


@GROUP.vector(
    "GROUP-11",
    reason=Refusal.BAD_TREE_PART,
    each={
        "that-leaves-a-gap": {"start": 501},
        "that-comes-again": {"start": 0},
        "of-another-epoch": {"start": 500, "epoch": 4},
        "of-another-size": {"start": 500, "size": 9_999},
        "with-nothing-in-it": {"start": 500, "data": b""},
        "that-is-too-long": {"start": 500, "data": bytes(9_000)},
    },
)
def tree_part(case: Case, how: Mapping[str, Any]) -> None:
    """It is not the one that was asked for next."""
    script, room = fetching(case)
    script.receive(2 * S, part(room, 0, 500), sent=["ask_tree"])
    values = dict(how)
    script.refuses(3 * S, part(room, values.pop("start"), **values))


@GROUP.vector("GROUP-11", reason=Refusal.BAD_TREE_PART)
def tree_of_more_than_8_mib(case: Case) -> None:
    """It says so in its first part."""
    script, room = fetching(case)
    script.refuses(2 * S, part(room, 0, 500, size=(8 << 20) + 1))


@GROUP.vector("GROUP-11", reason=Refusal.UNEXPECTED_ANSWER)
def tree_that_nobody_asked_for(case: Case) -> None:
    """The Welcome brought it."""
    script, room = asking(case), meeting()
    joins(script, room)
    script.refuses(2 * S, part(room, 0))


@GROUP.vector("GROUP-11", "GROUP-21")
def tree_that_is_another_groups(case: Case) -> None:
    """Its tree hash is not the Welcome's: the device asks to be added anew."""
    script, _ = fetching(case)
    false = meeting(case.id, seats={0: ALICE, 1: Actor("mallory"), 2: CAROL})
    script.receive(2 * S, part(false, 0), sent=["join"], calls=["asking"])
    script.done()


@GROUP.vector("GROUP-11", "GROUP-21")
def tree_that_does_not_come(case: Case) -> None:
    """30 s after the Welcome it asks to be added anew."""
    script, _ = fetching(case)
    script.wait(31 * S - 1)
    script.wait(31 * S, sent=["join"], calls=["asking"])
    script.done()


# ------------------------------------------------------------------------------ GROUP-7: asking


@GROUP.vector("GROUP-7")
def asks_again(case: Case) -> None:
    """After 3 s, with a new KeyPackage."""
    script = asking(case)
    script.receive(S, messages.Joining(CALL_ID, lobby=False))
    script.wait(3 * S - 1)
    script.wait(3 * S, sent=["join"])
    script.wait(6 * S, sent=["join"])
    script.done()


@GROUP.vector("GROUP-7", "GROUP-10")
def asks_again_in_the_lobby(case: Case) -> None:
    """After 45 s; a host then turns it away."""
    script = asking(case, "told-joiner")
    script.receive(S, messages.Joining(CALL_ID, lobby=True), calls=["in-lobby"])
    script.wait(45 * S - 1)
    script.wait(45 * S, sent=["join"])
    script.receive(50 * S, messages.TurnedAway(CALL_ID), told=[ended("turned-away")], calls=[])
    script.done()


@GROUP.vector("GROUP-7")
def asks_in_the_next_suite(case: Case) -> None:
    """The call is of another suite than the highest that the device has."""
    script = asking(case, "hybrid-joiner")
    refusal = messages.Refused("join", CALL_ID, "KEY_PACKAGE_CIPHER_SUITE", "")
    script.receive(S, refusal, sent=["join"])
    script.receive(2 * S, refusal, told=[ended("refused")], calls=[])
    case.features.add("hybrid")
    script.done()


@GROUP.vector("GROUP-7", "GROUP-17")
def asks_for_a_call_that_is_over(case: Case) -> None:
    """The service says so."""
    script = asking(case)
    refusal = messages.Refused("join", CALL_ID, "UNKNOWN_CALL", "")
    script.receive(S, refusal, told=[ended("refused")], calls=[])
    script.done()


@GROUP.vector("GROUP-16")
def ceases_to_ask(case: Case) -> None:
    """And is added all the same: then it says that it leaves."""
    script = asking(case)
    script.do(S, "leave", told=[ended("left")], calls=[])
    script.receive(2 * S, added(meeting()), refused=Refusal.CALL_ENDED, sent=["leave"])
    script.done()


@GROUP.vector("GROUP-24", "GROUP-7")
def not_in_yet(case: Case) -> None:
    """What is for members says nothing to who is none."""
    script, room = asking(case), meeting()
    script.receive(S, room.say(0, messages.Chat(1, "Hello")))
    script.receive(2 * S, room.commit(0))
    script.receive(2_500, messages.Presence(CALL_ID, 0, connected=True))
    script.done()


@GROUP.vector("GROUP-1", "GROUP-26")
def created(case: Case) -> None:
    """It is not used before the service has taken it, and given up after 10 s."""
    script = Script(case, "nobody")
    script.do(S, "create", values={"join_policy": "link"}, sent=["open"], calls=["opening"])
    script.wait(11 * S - 1)
    script.wait(11 * S, told=[ended("lost")], calls=[])
    script.done()
