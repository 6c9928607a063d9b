"""Vectors of the chapter Chat: what a device makes of what others say, message by message, and what it says itself."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from e2ee.vectorgen.registry import Case, Group
from e2ee.vectorgen.steps import Steps

__all__ = ["GROUP"]

GROUP = Group(
    "room",
    "A device at own_leaf, which came into the call with epoch came_with after the other members, or was there before all of them if"
    " null. `say`: its person says a text. `read`: it has seen a member's texts up to `number`. `type`: it presses a key, or ceases to"
    " write. `members`: an epoch begins with these other leaves, of which `removed` may be somebody else's now. `receive`: the message of"
    " a leaf, sent in this epoch at this generation of its ratchet; of a text only its `length` matters, in letters. `wait`: nothing. What"
    " falls due up to a step's time comes before the step, and is among what the step makes it send and tell (texts first); `read` and"
    " `typing` are switched on.",
)

OWN, BOB, CAROL = range(3)


class Refusal(StrEnum):
    """Why a message is refused."""

    UNKNOWN_MEMBER = "UNKNOWN_MEMBER"
    NUMBER_PASSED = "NUMBER_PASSED"
    NUMBER_TAKEN = "NUMBER_TAKEN"
    CAPTION_FINAL = "CAPTION_FINAL"
    NO_SUCH_TEXT = "NO_SUCH_TEXT"
    OWN_TEXT = "OWN_TEXT"
    NOTHING_NEW = "NOTHING_NEW"
    OVERTAKEN = "OVERTAKEN"


Said = dict[str, Any]


def text(number: int, length: int = 1) -> Said:
    """A text of so many letters."""
    return {"message": "chat", "number": number, "length": length}


def receipt(leaf: int, number: int, *, read: bool = False) -> Said:
    """About the texts of ``leaf``."""
    return {"message": "receipt", "leaf": leaf, "number": number, "read": read}


def reaction(leaf: int, number: int) -> Said:
    """To a text of ``leaf``."""
    return {"message": "reaction", "leaf": leaf, "number": number, "reaction": "\U0001f44d"}


def typing(*, writes: bool = True) -> Said:
    """Somebody writes, or does not any more."""
    return {"message": "typing", "typing": writes}


def caption(number: int, *, final: bool = False) -> Said:
    """What somebody says."""
    return {"message": "caption", "number": number, "text": "hello", "final": final}


def shown(leaf: int, *numbers: int) -> list[Said]:
    """Texts."""
    return [{"event": "text", "leaf": leaf, "number": number} for number in numbers]


def missing(leaf: int, first: int, last: int) -> Said:
    """Texts that did not come."""
    return {"event": "missing", "leaf": leaf, "first": first, "last": last}


def writes(leaf: int, *, typing: bool) -> Said:
    """What its person sees of another's typing."""
    return {"event": "typing", "leaf": leaf, "typing": typing}


class Room:
    """The room of a case, in epoch 2; every message is at the next generation unless it says otherwise."""

    def __init__(
        self, case: Case, *, members: Sequence[int] = (BOB, CAROL), came_with: int | None = None
    ) -> None:
        self.steps, self.now, self.generation = Steps(case), 0, 0
        case.input |= {"own_leaf": OWN, "members": list(members), "came_with": came_with}

    def at(self, now: int) -> Room:
        """The next step is at this time."""
        self.now = now
        return self

    def receive(
        self,
        leaf: int,
        message: Said,
        *told: Said,
        sent: Sequence[Said] = (),
        epoch: int = 2,
        generation: int | None = None,
    ) -> None:
        """A member's message."""
        if generation is None:
            generation = self.generation
            self.generation += 1
        self.steps.step(
            self.now,
            "receive",
            told=told,
            sent=sent,
            leaf=leaf,
            epoch=epoch,
            generation=generation,
            message=message,
        )

    def say(self, number: int, *sent_before: Said) -> None:
        """A text of its person."""
        self.steps.step(self.now, "say", sent=[*sent_before, text(number)])

    def wait(self, *sent: Said, told: Sequence[Said] = ()) -> None:
        """Nothing."""
        self.steps.step(self.now, "wait", sent=sent, told=told)

    def members(
        self, leaves: Sequence[int], epoch: int, *sent: Said, removed: Sequence[int] = ()
    ) -> None:
        """An epoch begins."""
        self.steps.step(
            self.now,
            "members",
            sent=sent,
            leaves=list(leaves),
            removed=list(removed),
            epoch=epoch,
        )

    def read(self, leaf: int, number: int) -> None:
        """Its person has seen these texts."""
        self.steps.step(self.now, "read", leaf=leaf, number=number)

    def presses(self, *sent: Said) -> None:
        """A key."""
        self.steps.step(self.now, "type", sent=sent, writes=True)

    def ceases(self, *sent: Said) -> None:
        """Its person does not write any more."""
        self.steps.step(self.now, "type", sent=sent, writes=False)


# --- texts ---


@GROUP.vector("CHAT-1", reason=Refusal.NUMBER_PASSED, each={"shown": 1, "none": 0})
def number_of_a_text_that_was(case: Case, number: int) -> None:
    """The first text of a number counts, and numbers begin with 1."""
    room = Room(case)
    room.receive(BOB, text(1), *shown(BOB, 1))
    room.receive(BOB, text(number))


@GROUP.vector("CHAT-1", reason=Refusal.NUMBER_TAKEN)
def number_of_a_text_that_waits(case: Case) -> None:
    """It has not been shown, and stays the one of its number."""
    room = Room(case)
    room.receive(BOB, text(2))
    room.receive(BOB, text(2))


@GROUP.vector("CHAT-1", "CHAT-2", reason=Refusal.NUMBER_PASSED)
def number_of_a_text_that_was_given_up(case: Case) -> None:
    """It was shown as missing; nothing is put in its place later."""
    room = Room(case)
    room.receive(BOB, text(2))
    room.at(5_000).wait(told=[missing(BOB, 1, 1), *shown(BOB, 2)])
    room.receive(BOB, text(1))


LONGEST = 16_384


@GROUP.vector("CHAT-2")
def texts_that_fill_all_the_room(case: Case) -> None:
    """4 members have 64 texts of 16,384 letters waiting each, 4,194,304 in all: there is room for them, and for no letter more."""
    room = Room(case, members=range(1, 6))
    for leaf in range(1, 5):
        for number in range(2, 66):
            room.receive(leaf, text(number, LONGEST))
    room.receive(5, text(1), *shown(5, 1))
    room.receive(5, text(3), missing(5, 2, 2), *shown(5, 3))
    room.receive(1, text(1, LONGEST), *shown(1, *range(1, 66)))
    room.receive(5, text(5))


# --- reactions ---


@GROUP.vector("CHAT-4")
def reactions_to_texts(case: Case) -> None:
    """To this device's, to its sender's own, and to a third member's."""
    room = Room(case)
    room.say(1)
    room.receive(CAROL, text(1), *shown(CAROL, 1))
    room.receive(BOB, text(1), *shown(BOB, 1))
    for leaf in (OWN, BOB, CAROL):
        seen = {"event": "reaction", "leaf": BOB, "author": leaf, "number": 1}
        room.receive(BOB, reaction(leaf, 1), seen)


@GROUP.vector(
    "CHAT-4",
    reason=Refusal.NO_SUCH_TEXT,
    each={
        "of-this-device": (OWN, 2),
        "of-a-member": (CAROL, 2),
        "of-number-0": (OWN, 0),
        "of-who-has-said-nothing": (BOB, 1),
    },
)
def reaction_to_a_text_that_is_not(case: Case, to: tuple[int, int]) -> None:
    """Each of the others has said one."""
    room = Room(case)
    room.say(1)
    room.receive(CAROL, text(1), *shown(CAROL, 1))
    room.receive(BOB, reaction(*to))


@GROUP.vector("CHAT-4", reason=Refusal.UNKNOWN_MEMBER)
def reaction_to_a_text_of_nobody(case: Case) -> None:
    """The leaf is empty."""
    Room(case).receive(BOB, reaction(7, 1))


@GROUP.vector("CHAT-4", reason=Refusal.NO_SUCH_TEXT)
def reaction_from_before_the_member_had_the_leaf(case: Case) -> None:
    """It was to a text of who had it before."""
    room = Room(case)
    room.receive(CAROL, text(1), *shown(CAROL, 1))
    room.members([BOB, CAROL], 3, removed=[CAROL])
    room.receive(CAROL, text(1), *shown(CAROL, 1), epoch=3)
    room.receive(BOB, reaction(CAROL, 1), epoch=2)


# --- receipts ---


@GROUP.vector("CHAT-5")
def receipts_about_this_devices_texts(case: Case) -> None:
    """Delivered, and then read; to read is to be delivered."""
    room = Room(case)
    for number in (1, 2, 3):
        room.say(number)
    room.receive(BOB, receipt(OWN, 2), {"event": "delivered", "leaf": BOB, "number": 2})
    room.receive(BOB, receipt(OWN, 1, read=True), {"event": "read", "leaf": BOB, "number": 1})
    room.receive(BOB, receipt(OWN, 3, read=True), {"event": "read", "leaf": BOB, "number": 3})
    room.receive(CAROL, receipt(OWN, 1), {"event": "delivered", "leaf": CAROL, "number": 1})


@GROUP.vector("CHAT-5")
def receipt_about_a_third_member(case: Case) -> None:
    """It says nothing to this device, whatever its number."""
    Room(case).receive(BOB, receipt(CAROL, 1_000))


@GROUP.vector(
    "CHAT-5",
    reason=Refusal.NOTHING_NEW,
    each={
        "delivered-again": (receipt(OWN, 2), receipt(OWN, 2)),
        "delivered-less": (receipt(OWN, 2), receipt(OWN, 1)),
        "delivered-what-was-read": (receipt(OWN, 2, read=True), receipt(OWN, 2)),
        "read-again": (receipt(OWN, 2, read=True), receipt(OWN, 2, read=True)),
    },
)
def receipt_that_says(case: Case, both: tuple[Said, Said]) -> None:
    """Receipts never go back."""
    first, second = both
    room = Room(case)
    room.say(1)
    room.say(2)
    what = "read" if first["read"] else "delivered"
    room.receive(BOB, first, {"event": what, "leaf": BOB, "number": 2})
    room.receive(BOB, second)


@GROUP.vector("CHAT-5", reason=Refusal.NO_SUCH_TEXT)
def receipt_about_a_text_that_was_not_sent(case: Case) -> None:
    """This device has said one."""
    room = Room(case)
    room.say(1)
    room.receive(BOB, receipt(OWN, 2))


@GROUP.vector("CHAT-5", reason=Refusal.UNKNOWN_MEMBER)
def receipt_about_nobody(case: Case) -> None:
    """The leaf is empty."""
    Room(case).receive(BOB, receipt(7, 1))


@GROUP.vector("CHAT-5", reason=Refusal.OWN_TEXT)
def receipt_that_its_sender_has_read_itself(case: Case) -> None:
    """Of its own texts a member says only how many there were (CHAT-11)."""
    Room(case).receive(BOB, receipt(BOB, 1, read=True))


@GROUP.vector("CHAT-5")
def receipts_of_this_device(case: Case) -> None:
    """500 ms after it showed a text, with all that it has to say by then; what was missing, and what came after, is not in them."""
    room = Room(case)
    room.receive(BOB, text(1), *shown(BOB, 1))
    room.at(400).receive(BOB, text(2), *shown(BOB, 2))
    room.at(499).wait()
    room.at(500).wait(receipt(BOB, 2))
    room.at(600).receive(BOB, text(4))
    room.at(5_600).wait(told=[missing(BOB, 3, 3), *shown(BOB, 4)])
    room.at(10_000).wait()


@GROUP.vector("CHAT-5")
def receipts_of_what_was_read(case: Case) -> None:
    """To read is to be delivered; what was missing, and what came after, is not said to be read either."""
    room = Room(case)
    room.receive(BOB, text(1), *shown(BOB, 1))
    room.at(100).receive(BOB, text(2), *shown(BOB, 2))
    room.read(BOB, 2)
    room.at(500).wait(receipt(BOB, 2, read=True))
    room.at(600).receive(BOB, text(4))
    room.at(5_600).wait(told=[missing(BOB, 3, 3), *shown(BOB, 4)])
    room.read(BOB, 4)
    room.at(10_000).wait()


# --- what overtook what ---


OVERTAKEN: dict[str, tuple[Said, Said, Said | None]] = {
    "reaction": (
        reaction(OWN, 1),
        reaction(OWN, 1),
        {"event": "reaction", "leaf": BOB, "author": OWN, "number": 1},
    ),
    "receipt": (receipt(OWN, 1), receipt(OWN, 2), {"event": "delivered", "leaf": BOB, "number": 1}),
    "typing": (typing(), typing(writes=False), writes(BOB, typing=True)),
    "caption": (
        caption(1),
        caption(2),
        {"event": "caption", "leaf": BOB, "number": 1, "final": False},
    ),
    "typing-before-a-text": (text(1), typing(), shown(BOB, 1)[0]),
}

EARLIER = {"generation": (2, 4), "epoch": (1, 9)}


@GROUP.vector(
    "CHAT-8",
    reason=Refusal.OVERTAKEN,
    each={
        f"{kind}-by-its-{by}": (said, place)
        for kind, said in OVERTAKEN.items()
        for by, place in EARLIER.items()
    },
)
def overtaken(case: Case, how: tuple[tuple[Said, Said, Said], tuple[int, int]]) -> None:
    """It was sent before the last one of its kind that was taken, which was at generation 5 of epoch 2."""
    (first, second, told), (epoch, generation) = how
    room = Room(case)
    room.say(1)
    room.say(2)
    room.receive(BOB, first, told, generation=5)
    room.receive(BOB, second, epoch=epoch, generation=generation)


@GROUP.vector("CHAT-8")
def other_kinds_and_members_overtake_nothing(case: Case) -> None:
    """Each kind of each member has its own order."""
    room = Room(case)
    room.say(1)
    room.receive(BOB, typing(), writes(BOB, typing=True), generation=9)
    room.receive(
        BOB, receipt(OWN, 1), {"event": "delivered", "leaf": BOB, "number": 1}, generation=5
    )
    room.receive(CAROL, typing(), writes(CAROL, typing=True), generation=3)
    room.receive(
        BOB,
        caption(1),
        {"event": "caption", "leaf": BOB, "number": 1, "final": False},
        generation=2,
    )


@GROUP.vector("CHAT-7", reason=Refusal.CAPTION_FINAL)
def caption_after_its_final_one(case: Case) -> None:
    """What was said is said."""
    room = Room(case)
    room.receive(
        BOB, caption(1, final=True), {"event": "caption", "leaf": BOB, "number": 1, "final": True}
    )
    room.receive(BOB, caption(1))


@GROUP.vector("CHAT-7", reason=Refusal.NUMBER_PASSED, each={"the-one-before": 1, "none": 0})
def caption_with_the_number_of(case: Case, number: int) -> None:
    """Numbers do not go back, and begin with 1."""
    room = Room(case)
    room.receive(BOB, caption(2), {"event": "caption", "leaf": BOB, "number": 2, "final": False})
    room.receive(BOB, caption(number))


# --- typing ---


@GROUP.vector("CHAT-9")
def typing_that_is_not_said_again(case: Case) -> None:
    """6 s after the last one it is over."""
    room = Room(case)
    room.receive(BOB, typing(), writes(BOB, typing=True))
    room.at(3_000).receive(BOB, typing())
    room.at(8_999).wait()
    room.at(9_000).wait(told=[writes(BOB, typing=False)])


@GROUP.vector("CHAT-9")
def typing_that_ends_in_a_text(case: Case) -> None:
    """Or with the word that it is over."""
    room = Room(case)
    room.receive(BOB, typing(), writes(BOB, typing=True))
    room.receive(BOB, text(1), *shown(BOB, 1), writes(BOB, typing=False))
    room.receive(BOB, typing(), writes(BOB, typing=True))
    room.receive(BOB, typing(writes=False), writes(BOB, typing=False))


@GROUP.vector("CHAT-9")
def typing_of_this_device(case: Case) -> None:
    """At most once a second, and again every 3 s while keys are pressed."""
    room = Room(case)
    room.presses(typing())
    room.at(500).presses()
    room.at(600).ceases()
    room.at(999).wait()
    room.at(1_000).wait(typing(writes=False))
    room.at(2_000).presses(typing())
    room.at(4_999).presses()
    room.at(5_000).presses(typing())


# --- who comes, and how many there are ---


@GROUP.vector("CHAT-11")
def number_for_a_newcomer(case: Case) -> None:
    """Before everything else in the epoch: how many texts there were."""
    room = Room(case)
    room.say(1)
    room.say(2)
    room.members([BOB, CAROL, 3], 3, receipt(OWN, 2))
    room.say(3)


@GROUP.vector("CHAT-11")
def number_for_who_takes_a_leaf(case: Case) -> None:
    """The leaf was somebody's before; whoever comes is a newcomer."""
    room = Room(case)
    room.say(1)
    room.members([BOB, CAROL], 3, receipt(OWN, 1), removed=[CAROL])


@GROUP.vector("CHAT-11")
def no_number_of_nothing(case: Case) -> None:
    """Who has said nothing says nothing; who said something says nothing if nobody comes."""
    room = Room(case)
    room.members([BOB, CAROL, 3], 3)
    room.say(1)
    room.members([BOB, CAROL], 4, removed=[3])


@GROUP.vector("CHAT-11")
def number_that_is_for_another_newcomer(case: Case) -> None:
    """This device came with epoch 2 and has taken no text of Bob's; what he says in epoch 3 is for who came with that."""
    room = Room(case, came_with=2)
    room.members([BOB, CAROL, 3], 3)
    room.receive(BOB, receipt(BOB, 7), epoch=3)
    room.receive(BOB, text(5), *shown(BOB, 5), epoch=2)
    room.at(1_000).wait()


@GROUP.vector("CHAT-11")
def receipts_of_who_came_late(case: Case) -> None:
    """Only to whom has said how many texts there were."""
    room = Room(case, came_with=2)
    room.receive(BOB, receipt(BOB, 2))
    room.receive(BOB, text(3), *shown(BOB, 3))
    room.receive(CAROL, text(6), *shown(CAROL, 6))
    room.at(500).wait(receipt(BOB, 3))


@GROUP.vector("CHAT-12", each={"32-members": 32, "33-members": 33})
def what_is_said_among(case: Case, count: int) -> None:
    """Receipts, typing, and the number for newcomers: up to 32 members, and never above."""
    few = count <= 32
    room = Room(case, members=range(1, count))
    room.say(1)
    room.receive(BOB, text(1), *shown(BOB, 1))
    room.presses(*[typing()][: int(few)])
    room.at(500).wait(*[receipt(BOB, 1)][: int(few)])
    others = [leaf for leaf in range(1, count) if leaf != CAROL]
    room.members([*others, 1_000], 3, *[receipt(OWN, 1)][: int(few)], removed=[CAROL])
