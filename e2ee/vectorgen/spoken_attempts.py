"""Vectors of the chapter Verification: an attempt at a spoken code, message by message (VERIFY-3, VERIFY-4, VERIFY-6 to VERIFY-9)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.vectorgen.certificates import label
from e2ee.vectorgen.models import u32
from e2ee.vectorgen.registry import Case, Group
from e2ee.vectorgen.steps import Steps

__all__ = ["GROUP", "code_of"]

GROUP = Group(
    "attempt",
    "A device at own_leaf of a call, which has tried a spoken code with Bob at the times `earlier` (milliseconds; all times are of one"
    " clock), in any call. `epoch` says that it entered an epoch, `begin` that its person wants a code, for which `random` is"
    " drawn if it may; `commit` and `reveal` come from another leaf, sent in `epoch`; `end` says that another ended the call;"
    " `wait` is nothing. What each step makes it send, and tell its person: `wanted` by another; `ready`, and the leaf that it"
    " then may mark verified, if any; `failed`, with or without the warning of VERIFY-7.",
)

CLOCK = 100_000_000


class Refusal(StrEnum):
    """Why a message is refused, or a code cannot be begun."""

    WRONG_EPOCH = "WRONG_EPOCH"
    NOT_A_MEMBER = "NOT_A_MEMBER"
    NO_SUCH_ATTEMPT = "NO_SUCH_ATTEMPT"
    COMMITTED_TWICE = "COMMITTED_TWICE"
    NOT_COMMITTED = "NOT_COMMITTED"
    REVEALED_TWICE = "REVEALED_TWICE"
    NO_ATTEMPT_LEFT = "NO_ATTEMPT_LEFT"
    TOO_MANY_MEMBERS = "TOO_MANY_MEMBERS"


def code_of(key: bytes, attempt: int, revealed: dict[int, bytes]) -> dict[str, Any]:
    """VERIFY-5."""
    said = b"".join(u32(leaf) + revealed[leaf] for leaf in sorted(revealed))
    x = HKDF_SHA256.expand(key, label("SAS code") + HKDF_SHA256.hash(bytes([attempt]) + said), 8)
    bits = f"{int.from_bytes(x, 'big'):064b}"
    return {
        "emoji": [int(bits[place : place + 6], 2) for place in range(0, 42, 6)],
        "digits": f"{int.from_bytes(x, 'big') % 10**6:06}",
    }


class Talk:
    """The call of a case: this device is at leaf 0, Bob at leaf 1."""

    def __init__(
        self,
        case: Case,
        *,
        one_to_one: bool = True,
        others: Sequence[str] = ("bob",),
        earlier: Sequence[int] = (),
    ) -> None:
        self.case, self.steps, self.now = case, Steps(case), CLOCK
        self.call_id = case.entropy.fork(b"call").random(16)
        self.others = others
        case.input |= {
            "call_id": self.call_id,
            "own_leaf": 0,
            "one_to_one": one_to_one,
            "earlier": list(earlier),
        }
        self.one_to_one = one_to_one
        self.enter(2)

    def later(self, milliseconds: int) -> Talk:
        """The next step is so much later."""
        self.now += milliseconds
        return self

    def enter(self, epoch: int, *told: dict[str, Any]) -> None:
        """Another epoch."""
        secrets = self.case.entropy.fork(b"epoch%d" % epoch)
        self.epoch, self.authenticator, self.key = epoch, secrets.random(32), secrets.random(32)
        accounts = ("alice", *self.others)
        self.steps.step(
            self.now,
            "epoch",
            told=told,
            epoch=epoch,
            epoch_authenticator=self.authenticator,
            sas_key=self.key,
            members=[{"leaf": leaf, "account_id": who} for leaf, who in enumerate(accounts)],
        )

    def random(self, leaf: int, attempt: int) -> bytes:
        """What a leaf draws."""
        return self.case.entropy.fork(b"%d %d %d" % (self.epoch, leaf, attempt)).random(32)

    def commitment(self, leaf: int, attempt: int) -> bytes:
        """VERIFY-3."""
        head = label("SAS commit") + self.call_id + self.authenticator
        return HKDF_SHA256.hash(
            head + u32(leaf) + bytes([attempt & 0xFF]) + self.random(leaf, attempt)
        )

    # What is sent

    def own_commit(self, attempt: int = 1) -> dict[str, Any]:
        """code_commit."""
        return {"commit": self.commitment(0, attempt), "attempt": attempt}

    def own_reveal(self, attempt: int = 1) -> dict[str, Any]:
        """code_reveal."""
        return {"reveal": self.random(0, attempt), "attempt": attempt}

    # Steps

    def begin(self, attempt: int = 1, *, reveals: bool = False) -> None:
        """Its person wants a code."""
        sent = [self.own_commit(attempt), *([self.own_reveal(attempt)] if reveals else [])]
        self.steps.step(self.now, "begin", sent=sent, random=self.random(0, attempt))

    def commit(
        self,
        leaf: int = 1,
        attempt: int = 1,
        *,
        reveals: bool = False,
        told: Sequence[dict[str, Any]] = (),
        epoch: int | None = None,
    ) -> None:
        """Another's commitment."""
        self.steps.step(
            self.now,
            "commit",
            sent=[self.own_reveal(attempt)] if reveals else [],
            told=told,
            leaf=leaf,
            epoch=self.epoch if epoch is None else epoch,
            attempt=attempt,
            commitment=self.commitment(leaf, attempt),
        )

    def reveal(
        self,
        leaf: int = 1,
        attempt: int = 1,
        *,
        told: Sequence[dict[str, Any]] = (),
        random: bytes | None = None,
        epoch: int | None = None,
    ) -> None:
        """Another's bytes."""
        self.steps.step(
            self.now,
            "reveal",
            told=told,
            leaf=leaf,
            epoch=self.epoch if epoch is None else epoch,
            attempt=attempt,
            random=self.random(leaf, attempt) if random is None else random,
        )

    def wait(self, *told: dict[str, Any]) -> None:
        """Nothing else happens."""
        self.steps.step(self.now, "wait", told=told)

    def ready(self, attempt: int = 1) -> dict[str, Any]:
        """The code of all."""
        revealed = {leaf: self.random(leaf, attempt) for leaf in range(len(self.others) + 1)}
        marks = 1 if self.one_to_one else None
        return {"event": "ready", **code_of(self.key, attempt, revealed), "verifies": marks}

    def attempt(self, number: int) -> None:
        """A whole one."""
        self.begin(number)
        self.commit(attempt=number, reveals=True)
        self.reveal(attempt=number, told=[self.ready(number)])


def failed(*, warning: bool) -> dict[str, Any]:
    """There is no code."""
    return {"event": "failed", "warning": warning}


def wanted(leaf: int = 1) -> dict[str, Any]:
    """Another wants one."""
    return {"event": "wanted", "leaf": leaf}


@GROUP.vector("VERIFY-3", "VERIFY-8")
def attempt_of_this_device(case: Case) -> None:
    """It commits, gets the other's commitment, reveals, and gets the other's bytes."""
    Talk(case).attempt(1)


@GROUP.vector("VERIFY-3", "VERIFY-8")
def attempt_of_the_other(case: Case) -> None:
    """A person joins it: then commitment and bytes go out together, for all have committed."""
    talk = Talk(case)
    talk.commit(told=[wanted()])
    talk.begin(reveals=True)
    talk.reveal(told=[talk.ready()])


@GROUP.vector("VERIFY-3", "VERIFY-8")
def attempt_of_three(case: Case) -> None:
    """Nothing is revealed before the last commitment; in a group call nobody is marked by it."""
    talk = Talk(case, one_to_one=False, others=("bob", "carol"))
    talk.begin()
    talk.commit(1)
    talk.commit(2, reveals=True)
    talk.reveal(2)
    talk.reveal(1, told=[talk.ready()])


@GROUP.vector("VERIFY-8")
def attempt_in_a_group_call_of_two(case: Case) -> None:
    """It gives a code, and marks nobody."""
    Talk(case, one_to_one=False).attempt(1)


@GROUP.vector("VERIFY-3", reason=Refusal.NOT_A_MEMBER, each={"nobody": 2, "this-device-itself": 0})
def commitment_of(case: Case, leaf: int) -> None:
    """Of a leaf that the epoch does not have, and of this device's own."""
    talk = Talk(case)
    talk.begin()
    talk.commit(leaf)


@GROUP.vector("VERIFY-3", reason=Refusal.COMMITTED_TWICE)
def commitment_of_a_leaf_twice(case: Case) -> None:
    """Also the same one."""
    talk = Talk(case, one_to_one=False, others=("bob", "carol"))
    talk.begin()
    talk.commit(1)
    talk.commit(1)


@GROUP.vector("VERIFY-3", reason=Refusal.NOT_COMMITTED)
def reveal_without_a_commitment(case: Case) -> None:
    """Carol has not committed."""
    talk = Talk(case, one_to_one=False, others=("bob", "carol"))
    talk.begin()
    talk.commit(1)
    talk.reveal(2)


@GROUP.vector("VERIFY-3", reason=Refusal.NOT_COMMITTED)
def reveal_before_this_device_committed(case: Case) -> None:
    """Who takes it could choose its own bytes by it."""
    talk = Talk(case)
    talk.commit(told=[wanted()])
    talk.reveal()


@GROUP.vector("VERIFY-3", reason=Refusal.REVEALED_TWICE)
def reveal_of_a_leaf_twice(case: Case) -> None:
    """Carol's are still to come."""
    talk = Talk(case, one_to_one=False, others=("bob", "carol"))
    talk.begin()
    talk.commit(1)
    talk.commit(2, reveals=True)
    talk.reveal(1)
    talk.reveal(1)


@GROUP.vector("VERIFY-3", "VERIFY-7")
def reveal_of_other_bytes(case: Case) -> None:
    """They do not fit the commitment: the attempt is over, and the person is warned."""
    talk = Talk(case)
    talk.begin()
    talk.commit(reveals=True)
    talk.reveal(random=bytes(32), told=[failed(warning=True)])


@GROUP.vector("VERIFY-3", "VERIFY-7")
def reveal_of_other_bytes_before_this_device_revealed(case: Case) -> None:
    """Bob shows too early what he did not commit to: a warning, though nothing of this device was shown."""
    talk = Talk(case, one_to_one=False, others=("bob", "carol"))
    talk.begin()
    talk.commit(1)
    talk.reveal(1, random=bytes(32), told=[failed(warning=True)])


@GROUP.vector("VERIFY-4", reason=Refusal.WRONG_EPOCH, each={"earlier": 1, "later": 3})
def commitment_in_an_epoch(case: Case, epoch: int) -> None:
    """All of an attempt belongs to the epoch in which this device is."""
    Talk(case).commit(epoch=epoch)


@GROUP.vector("VERIFY-4", reason=Refusal.WRONG_EPOCH)
def reveal_in_the_epoch_before(case: Case) -> None:
    """The epoch changed between two messages."""
    talk = Talk(case)
    talk.begin()
    talk.commit(reveals=True)
    talk.enter(3, failed(warning=True))
    talk.reveal(epoch=2)


@GROUP.vector("VERIFY-4", "VERIFY-7", each={"revealed": True, "not-revealed": False})
def epoch_ends_an_attempt_that_was(case: Case, revealed: bool) -> None:
    """In the next one they count from 1 again."""
    talk = Talk(case)
    talk.begin()
    if revealed:
        talk.commit(reveals=True)
    talk.enter(3, failed(warning=revealed))
    talk.attempt(1)


@GROUP.vector("VERIFY-4", "VERIFY-7", each={"revealed": True, "not-revealed": False})
def higher_attempt_ends_one_that_was(case: Case, revealed: bool) -> None:
    """Bob begins another; between there may be numbers that nobody used."""
    talk = Talk(case)
    talk.begin()
    if revealed:
        talk.commit(reveals=True)
    talk.commit(attempt=255, told=[failed(warning=revealed), wanted()])
    talk.begin(255, reveals=True)
    talk.reveal(attempt=255, told=[talk.ready(255)])


@GROUP.vector(
    "VERIFY-4", reason=Refusal.NO_SUCH_ATTEMPT, each={"is-over": 1, "there-cannot-be": 256}
)
def commitment_for_an_attempt_that(case: Case, number: int) -> None:
    """Numbers go up, to 255."""
    talk = Talk(case)
    talk.commit(attempt=2, told=[wanted()])
    talk.commit(attempt=number)


@GROUP.vector("VERIFY-4", reason=Refusal.NO_SUCH_ATTEMPT)
def reveal_for_another_attempt(case: Case) -> None:
    """That of the attempt before."""
    talk = Talk(case)
    talk.begin()
    talk.commit(reveals=True)
    talk.reveal(attempt=2)


@GROUP.vector("VERIFY-6", reason=Refusal.NO_ATTEMPT_LEFT)
def attempt_after_three_in_the_call(case: Case) -> None:
    """With Bob, who has left; with Carol there was none yet."""
    talk = Talk(case, one_to_one=False)
    for number in (1, 2, 3):
        talk.attempt(number)
    talk.others = ("carol",)
    talk.enter(3)
    talk.begin()


@GROUP.vector("VERIFY-6")
def attempt_after_two_in_the_call(case: Case) -> None:
    """The third is one's own with a new member."""
    talk = Talk(case, one_to_one=False)
    talk.attempt(1)
    talk.attempt(2)
    talk.others = ("carol",)
    talk.enter(3)
    talk.attempt(1)


DAY = 24 * 3600 * 1000


@GROUP.vector("VERIFY-6", reason=Refusal.NO_ATTEMPT_LEFT)
def attempt_after_three_with_the_contact(case: Case) -> None:
    """In other calls; the first of them a millisecond less than 24 hours ago."""
    talk = Talk(case, earlier=[CLOCK - DAY + 1, CLOCK - 2, CLOCK - 1])
    talk.begin()


@GROUP.vector("VERIFY-6")
def attempt_24_hours_after_the_first_of_three(case: Case) -> None:
    """Then that one does not count any more."""
    talk = Talk(case, earlier=[CLOCK - DAY, CLOCK - 2, CLOCK - 1])
    talk.attempt(1)


@GROUP.vector("VERIFY-6", reason=Refusal.NO_ATTEMPT_LEFT)
def attempt_after_three_that_gave_nothing(case: Case) -> None:
    """It counts that this device has revealed, not that there was a code."""
    talk = Talk(case)
    for number in (1, 2, 3):
        talk.begin(number)
        talk.commit(attempt=number, reveals=True)
        talk.reveal(attempt=number, random=bytes(32), told=[failed(warning=True)])
    talk.begin(4)


@GROUP.vector("VERIFY-6")
def attempts_without_a_reveal(case: Case) -> None:
    """They count for nothing: the fourth gives a code."""
    talk = Talk(case)
    talk.begin(1)
    for epoch in (3, 4, 5):
        talk.enter(epoch, failed(warning=False))
        if epoch < 5:
            talk.begin(1)
    talk.attempt(1)


@GROUP.vector("VERIFY-7")
def other_that_does_not_reveal(case: Case) -> None:
    """10 s after this device revealed it gives up, and warns."""
    talk = Talk(case)
    talk.begin()
    talk.later(5_000).commit(reveals=True)
    talk.later(9_999).wait()
    talk.later(1).wait(failed(warning=True))


@GROUP.vector("VERIFY-7")
def other_that_does_not_commit(case: Case) -> None:
    """Nothing was revealed: a person may take long to look at the screen."""
    talk = Talk(case)
    talk.begin()
    talk.later(60_000).wait()
    talk.commit(reveals=True)
    talk.reveal(told=[talk.ready()])


@GROUP.vector("VERIFY-7", each={"revealed": True, "not-revealed": False})
def call_is_ended_in_an_attempt_that_was(case: Case, revealed: bool) -> None:
    """By the other."""
    talk = Talk(case)
    talk.begin()
    if revealed:
        talk.commit(reveals=True)
    talk.steps.step(talk.now, "end", told=[failed(warning=revealed)])


def crowd(count: int) -> Sequence[str]:
    """So many others."""
    return ("bob", *(f"member-{number}" for number in range(1, count)))


@GROUP.vector("VERIFY-9", reason=Refusal.TOO_MANY_MEMBERS)
def attempt_among_33(case: Case) -> None:
    """Each would have to take part."""
    Talk(case, one_to_one=False, others=crowd(32)).begin()


@GROUP.vector("VERIFY-9", reason=Refusal.TOO_MANY_MEMBERS)
def commitment_among_33(case: Case) -> None:
    """Nobody is asked."""
    Talk(case, one_to_one=False, others=crowd(32)).commit()


@GROUP.vector("VERIFY-9", reason=Refusal.TOO_MANY_MEMBERS)
def reveal_among_33(case: Case) -> None:
    """Nor taken part."""
    Talk(case, one_to_one=False, others=crowd(32)).reveal()


@GROUP.vector("VERIFY-9")
def attempt_among_32(case: Case) -> None:
    """The largest group that has a code."""
    talk = Talk(case, one_to_one=False, others=crowd(31))
    talk.begin()
    for leaf in range(1, 31):
        talk.commit(leaf)
    talk.commit(31, reveals=True)
    for leaf in range(1, 31):
        talk.reveal(leaf)
    talk.reveal(31, told=[talk.ready()])
