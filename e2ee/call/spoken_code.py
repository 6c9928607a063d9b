"""The spoken code of one call: commit, then reveal, then read it to each other (VERIFY-3 to VERIFY-8).

    enter_epoch(epoch)          this device is in a new epoch; an attempt of an earlier one ends
    begin(now, entropy)         a person here wants a code: join the attempt under way, or begin one
    receive(said..., now)       another member's CodeCommit or CodeReveal
    messages_to_send()          call messages of the epoch, in order
    next_event()                CodeWanted, CodeReady, CodeFailed
    get_timer(), handle_timer(now)

An attempt is everybody's 32 random bytes, of which first the hashes and then the bytes are shown. A device shows its bytes
when it holds the hash of every member, so whoever chose theirs chose them without knowing what the code would be: searching
needs a new attempt each time, each attempt shows this device's bytes, and of those there are three a call and three a contact
in 24 hours. Whoever breaks an attempt off once this device has shown its bytes could be choosing among codes: that is a
warning.

What does not belong to the attempt is refused and changes nothing. Secrets (the bytes before they are shown, the epoch's keys)
go with the epoch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from e2ee.call.configuration import MANY_MEMBERS
from e2ee.call.errors import CallRefused, CallUsageError
from e2ee.call.events import CallEvent
from e2ee.call.verification import Code, code_commitment, spoken_code
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret, equal
from e2ee.errors import Reason
from e2ee.signalling.messages import CodeCommit, CodeReveal

__all__ = [
    "ATTEMPTS_A_CALL",
    "MAX_ATTEMPT",
    "REVEAL_TIMEOUT",
    "Attempts",
    "CodeEpoch",
    "CodeFailed",
    "CodeReady",
    "CodeReason",
    "CodeWanted",
    "Failure",
    "SpokenCode",
]

ATTEMPTS_A_CALL = 3
"""VERIFY-6: in how many attempts of a call a device shows its bytes."""

REVEAL_TIMEOUT = 10_000
"""VERIFY-7: how long a device that has shown its bytes waits for the others', in milliseconds."""

MAX_ATTEMPT = 255
"""An attempt's number is hashed as u8."""


class CodeReason(Reason):
    """Why a message of a spoken code was refused, or a code cannot be begun."""

    WRONG_EPOCH = "WRONG_EPOCH"
    NOT_A_MEMBER = "NOT_A_MEMBER"
    NO_SUCH_ATTEMPT = "NO_SUCH_ATTEMPT"
    """Of an attempt that is over, or of a number that none has."""
    COMMITTED_TWICE = "COMMITTED_TWICE"
    NOT_COMMITTED = "NOT_COMMITTED"
    """Bytes without a commitment, or before this device has committed."""
    REVEALED_TWICE = "REVEALED_TWICE"
    UNDER_WAY = "UNDER_WAY"
    NO_ATTEMPT_LEFT = "NO_ATTEMPT_LEFT"
    TOO_MANY_MEMBERS = "TOO_MANY_MEMBERS"
    """Of whom each would have to take part."""


class Failure(StrEnum):
    """Why an attempt gave no code."""

    EPOCH_CHANGED = "epoch-changed"
    OVERTAKEN = "overtaken"
    """Another member began the next attempt."""
    WRONG_REVEAL = "wrong-reveal"
    """A member's bytes are not those that it committed to."""
    NO_REVEAL = "no-reveal"
    """A member did not show its bytes in time."""
    NO_ATTEMPT_LEFT = "no-attempt-left"
    CALL_ENDED = "call-ended"


@dataclass(frozen=True, slots=True)
class CodeWanted(CallEvent):
    """The member at ``leaf`` wants to compare a spoken code; a person here may join with ``begin``."""

    leaf: int


@dataclass(frozen=True, slots=True)
class CodeReady(CallEvent):
    """Everybody reads this to the others. ``verifies`` is the leaf whose account key a person may then mark, if any."""

    code: Code
    verifies: int | None


@dataclass(frozen=True, slots=True)
class CodeFailed(CallEvent):
    """There is no code. With ``warning`` somebody may have tried to choose one: tell the person (VERIFY-7)."""

    reason: Failure
    warning: bool


class Attempts(Protocol):
    """The attempts with each contact in 24 hours, over all calls; ``identity.trust.Trust`` is one."""

    def code_attempts_left(self, account_id: str, now: int) -> int:
        """How many are left with this account."""

    def note_code_attempt(self, account_id: str, now: int) -> None:
        """One more; kept when this returns."""


@dataclass(frozen=True, slots=True)
class CodeEpoch:
    """What a spoken code needs to know of an epoch. ``accounts`` is the account id of every leaf, this device's too."""

    call_id: bytes
    number: int
    authenticator: Secret
    """``epoch_authenticator`` (RFC 9420 Section 8.7)."""
    sas_key: Secret
    own_leaf: int
    accounts: Mapping[int, str]
    one_to_one: bool

    @property
    def contacts(self) -> frozenset[str]:
        """The other accounts."""
        return frozenset(self.accounts.values()) - {self.accounts[self.own_leaf]}

    @property
    def is_large(self) -> bool:
        """Whether there are too many members to compare a code."""
        return len(self.accounts) > MANY_MEMBERS

    @property
    def verifies(self) -> int | None:
        """VERIFY-8: "Only a one-to-one call sets the verified mark": the other leaf, if it is one."""
        others = self.accounts.keys() - {self.own_leaf}
        return next(iter(others)) if self.one_to_one and len(others) == 1 else None

    def commitment(self, leaf: int, attempt: int, random: bytes) -> bytes:
        """VERIFY-3, for this epoch."""
        return code_commitment(self.call_id, self.authenticator, leaf, attempt, random)


@dataclass(slots=True)
class _Attempt:
    number: int
    random: Secret | None = None
    """This device's bytes, once a person here wants a code."""
    commitments: dict[int, bytes] = field(default_factory=dict)
    revealed: dict[int, bytes] = field(default_factory=dict, repr=False)
    shown_until: int | None = None
    """When this device's patience ends, once it has shown its bytes."""


class SpokenCode:
    """See the module. ``now`` is Unix time in milliseconds."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self._epoch: CodeEpoch | None = None
        self._attempt: _Attempt | None = None
        """The attempt under way."""
        self._last = 0
        """The highest number of an attempt in this epoch."""
        self._shown = 0
        """In how many attempts of this call this device has shown its bytes."""
        self._messages: deque[CodeCommit | CodeReveal] = deque()
        self._events: deque[CallEvent] = deque()

    def enter_epoch(self, epoch: CodeEpoch) -> None:
        """This device is in ``epoch`` now."""
        # VERIFY-4: "a new epoch ends it"
        self._fail(Failure.EPOCH_CHANGED)
        self._messages.clear()
        self._epoch, self._last = epoch, 0

    def call_ended(self, *, by_others: bool) -> None:
        """The call is over, and the secrets with it."""
        if by_others:
            self._fail(Failure.CALL_ENDED)
        self._epoch = self._attempt = None
        self._messages.clear()

    def attempts_left(self, now: int) -> int:
        """How often a code may still be had in this call."""
        if self._epoch is None or self._epoch.is_large:
            return 0
        # VERIFY-6: "at most 3 attempts a call and at most 3 a contact in any 24 h"
        by_contact = [self._attempts.code_attempts_left(who, now) for who in self._epoch.contacts]
        return max(0, min(ATTEMPTS_A_CALL - self._shown, *by_contact))

    def begin(self, now: int, entropy: Entropy) -> None:
        """A person here wants a code. Raises CallUsageError: NO_ATTEMPT_LEFT, TOO_MANY_MEMBERS, UNDER_WAY."""
        epoch, attempt = self._epoch, self._attempt
        if epoch is not None and epoch.is_large:  # VERIFY-9
            raise CallUsageError(CodeReason.TOO_MANY_MEMBERS, f"{len(epoch.accounts)}")
        if epoch is None or not self.attempts_left(now):
            raise CallUsageError(CodeReason.NO_ATTEMPT_LEFT)
        if attempt is None:
            if self._last == MAX_ATTEMPT:
                raise CallUsageError(CodeReason.NO_ATTEMPT_LEFT, "in this epoch")
            attempt = self._new_attempt(self._last + 1)
        if attempt.random is not None:
            raise CallUsageError(CodeReason.UNDER_WAY)
        attempt.random = Secret(entropy.random(32))
        commitment = epoch.commitment(epoch.own_leaf, attempt.number, attempt.random)
        attempt.commitments[epoch.own_leaf] = commitment
        self._messages.append(CodeCommit(attempt.number, commitment))
        self._reveal_if_complete(epoch, attempt, now)

    def _new_attempt(self, number: int) -> _Attempt:
        self._attempt, self._last = _Attempt(number), number
        return self._attempt

    # What others say

    def receive(self, leaf: int, epoch: int, message: CodeCommit | CodeReveal, now: int) -> None:
        """What the member at ``leaf`` said in the epoch of this number. Raises CallRefused; then nothing has changed."""
        current = self._epoch
        # VERIFY-4: "All of an attempt belongs to the epoch of its first commitment"
        if current is None or epoch != current.number:
            raise CallRefused(CodeReason.WRONG_EPOCH, f"epoch {epoch}")
        # VERIFY-9: "a member MUST NOT begin a spoken code nor take part in one, and MUST refuse"
        if current.is_large:
            raise CallRefused(CodeReason.TOO_MANY_MEMBERS, f"{len(current.accounts)}")
        if leaf not in current.accounts or leaf == current.own_leaf:
            raise CallRefused(CodeReason.NOT_A_MEMBER, f"leaf {leaf}")
        if isinstance(message, CodeCommit):
            self._receive_commit(current, leaf, message, now)
        else:
            self._receive_reveal(current, leaf, message)

    def _receive_commit(self, epoch: CodeEpoch, leaf: int, message: CodeCommit, now: int) -> None:
        attempt = self._attempt
        if self._last < message.attempt <= MAX_ATTEMPT:
            self._fail(Failure.OVERTAKEN)
            attempt = self._new_attempt(message.attempt)
            self._events.append(CodeWanted(epoch.call_id, leaf))
        elif attempt is None or attempt.number != message.attempt:
            raise CallRefused(CodeReason.NO_SUCH_ATTEMPT, f"attempt {message.attempt}")
        # VERIFY-3: "MUST refuse a second commitment of a leaf in an attempt"
        if leaf in attempt.commitments:
            raise CallRefused(CodeReason.COMMITTED_TWICE, f"leaf {leaf}")
        attempt.commitments[leaf] = message.commitment
        self._reveal_if_complete(epoch, attempt, now)

    def _receive_reveal(self, epoch: CodeEpoch, leaf: int, message: CodeReveal) -> None:
        attempt = self._attempt
        if attempt is None or attempt.number != message.attempt:
            raise CallRefused(CodeReason.NO_SUCH_ATTEMPT, f"attempt {message.attempt}")
        if attempt.random is None or leaf not in attempt.commitments:
            raise CallRefused(CodeReason.NOT_COMMITTED, f"leaf {leaf}")
        if leaf in attempt.revealed:
            raise CallRefused(CodeReason.REVEALED_TWICE, f"leaf {leaf}")
        due = epoch.commitment(leaf, attempt.number, message.random)
        if not equal(due, attempt.commitments[leaf]):
            self._fail(Failure.WRONG_REVEAL)
            return
        attempt.revealed[leaf] = message.random
        self._finish_if_complete(epoch, attempt)

    # The two steps of an attempt

    def _reveal_if_complete(self, epoch: CodeEpoch, attempt: _Attempt, now: int) -> None:
        # VERIFY-3: "MUST NOT send `code_reveal` before it holds the commitment of every leaf of the epoch"
        if attempt.random is None or attempt.commitments.keys() != epoch.accounts.keys():
            return
        if not self.attempts_left(now):
            self._fail(Failure.NO_ATTEMPT_LEFT)
            return
        # VERIFY-6: "It counts from the moment at which the device reveals": before the message can leave
        self._shown += 1
        for account_id in epoch.contacts:
            self._attempts.note_code_attempt(account_id, now)
        attempt.shown_until = now + REVEAL_TIMEOUT
        attempt.revealed[epoch.own_leaf] = bytes(attempt.random)
        self._messages.append(CodeReveal(attempt.number, bytes(attempt.random)))
        self._finish_if_complete(epoch, attempt)

    def _finish_if_complete(self, epoch: CodeEpoch, attempt: _Attempt) -> None:
        if attempt.revealed.keys() == epoch.accounts.keys():
            code = spoken_code(epoch.sas_key, attempt.number, attempt.revealed)
            self._events.append(CodeReady(epoch.call_id, code, epoch.verifies))
            self._attempt = None

    def _fail(self, reason: Failure) -> None:
        """End the attempt under way, if there is one."""
        attempt, epoch = self._attempt, self._epoch
        if attempt is None or epoch is None:
            return
        # VERIFY-7: "by others after it has revealed ... or by a reveal that does not fit its commitment"
        warning = attempt.shown_until is not None or reason is Failure.WRONG_REVEAL
        self._events.append(CodeFailed(epoch.call_id, reason, warning))
        self._attempt = None

    # Time, and what comes out

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, or None."""
        return self._attempt.shown_until if self._attempt else None

    def handle_timer(self, now: int) -> None:
        """Give up waiting for what others do not show."""
        if (due := self.get_timer()) is not None and now >= due:
            self._fail(Failure.NO_REVEAL)

    def messages_to_send(self) -> list[CodeCommit | CodeReveal]:
        """What to tell the other members, in order and in this epoch; given once."""
        outgoing = list(self._messages)
        self._messages.clear()
        return outgoing

    def next_event(self) -> CallEvent | None:
        """The next thing to tell the application, or None."""
        return self._events.popleft() if self._events else None
