"""The calls of two of one device, ring groups among them: how they begin, and what an invitation becomes.

An invitation that is refused leaves no trace and gets no answer (CALL-5). Another one rings, or answers a call of ours to the
same account (CALL-21), or waits for that, or finds this device busy (CALL-18). A call that is over is dropped, and its id
remembered: neither its messages nor another invitation of that id are taken (CALL-3, CALL-13).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from e2ee.call.call import Call
from e2ee.call.errors import CallReason, CallRefused, CallUsageError
from e2ee.call.events import Event, Replaced, SuiteLowered
from e2ee.call.held_back import HeldBack
from e2ee.call.incoming_invite import Invitation, open_invitation
from e2ee.call.key_packages import KeyPackages
from e2ee.call.medium import Medium
from e2ee.call.owner import Owner
from e2ee.call.seen_calls import SeenCalls
from e2ee.call.states import State
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.errors import IdentityReason, TrustError
from e2ee.identity.trust import ContactState, Trust
from e2ee.profile.suites import SUITES
from e2ee.signalling import messages

__all__ = ["CALL_ID_LENGTH", "Calls"]

CALL_ID_LENGTH = 16

OVER_KEPT = 256

_SUITE_ORDER = tuple(suite.mls for suite in SUITES)


class Calls:
    """See the module. ``in_groups`` tells in how many group calls the device is, ``tell`` takes what people are told."""

    def __init__(
        self, seen: SeenCalls, in_groups: Callable[[], int], tell: Callable[[Event], None]
    ) -> None:
        self._seen = seen
        self._in_groups = in_groups
        self._tell = tell
        self._calls: dict[bytes, Call] = {}
        self._over: deque[bytes] = deque(maxlen=OVER_KEPT)
        self._held_back = HeldBack(self._is_settled)

    @property
    def current(self) -> Mapping[bytes, Call]:
        """Those that are not over, by call_id."""
        return {key: call for key, call in self._calls.items() if call.state is not State.ENDED}

    def all(self) -> list[Call]:
        """Those that are not over, and those that have not said so yet."""
        return list(self._calls.values())

    def get(self, call_id: bytes) -> Call | None:
        """The call of this name, if it was not dropped."""
        return self._calls.get(call_id)

    def enter(self, call: Call) -> None:
        """A call has begun."""
        self._calls[call.call_id] = call

    def drop(self, call: Call) -> None:
        """It is over, and has said so."""
        del self._calls[call.call_id]
        self._over.append(call.call_id)

    def was_here(self, call_id: bytes) -> bool:
        """Whether this is one of the last calls that have ended since this process began."""
        return call_id in self._over

    # Calls that are placed here

    def place(
        self,
        owner: Owner,
        account_id: str,
        now: int,
        medium: Medium,
        group_offer: messages.GroupOffer | None = None,
    ) -> Call:
        """Call the devices of an account, or ring them for a group call. Raises CallUsageError (RINGS_HERE, BAD_GROUP_OFFER)."""
        # CALL-21: "MUST NOT place a call to an account whose call it could answer"
        rings = any(call.may_be_answered_from(account_id) for call in self.current.values())
        if rings and group_offer is None:
            raise CallUsageError(CallReason.RINGS_HERE, account_id)
        # CALL-1: "`call_id` MUST be 16 bytes from a cryptographic random generator"
        call_id = owner.entropy.random(CALL_ID_LENGTH)
        call = Call.place(owner, call_id, account_id, now, medium, group_offer=group_offer)
        self._seen.note(call_id, now)
        self.enter(call)
        return call

    def answered(self, call: Call, answer: messages.FromService, trust: Trust, now: int) -> None:
        """The directory has answered what a call asked it."""
        if call.state is State.ENDED:
            return
        call.receive(answer, now)
        self.end_revoked(trust, now)
        if invited := call.invited_certificates:
            self._compare_suites(list(invited), call, trust)

    # Invitations

    def receive_invitation(
        self, owner: Owner, key_packages: KeyPackages, invited: messages.Invited, now: int
    ) -> None:
        """Raises RemoteProtocolError for one that may not ring; nothing is left of it (CALL-5)."""
        # CALL-3: "MUST refuse an invitation ... whose `call_id` it has seen before"
        if self._seen.seen(invited.call_id):
            raise CallRefused(CallReason.CALL_ALREADY_SEEN)
        trust = owner.trust
        try:
            invitation = open_invitation(owner, key_packages, invited, now)
        finally:
            self.end_revoked(trust, now)
        self._seen.note(invited.call_id, now)
        call = Call.invited(owner, invitation, now)
        if invitation.contact is not ContactState.CHANGED:
            trust.accept(invitation.caller.certificate, now)  # IDENT-8
        key_packages.drop(invitation.bundle)
        others = list(self.current.values())
        self.enter(call)
        self._settle(call, invitation, others, owner.configuration.most_calls, now)
        self._compare_suites([invitation.caller.certificate], call, trust)

    def _settle(
        self, call: Call, invitation: Invitation, others: list[Call], most_calls: int, now: int
    ) -> None:
        """Whether an invitation rings, answers a call of ours (CALL-21), waits for it, or finds this device busy."""
        rival = next((other for other in others if _is_glare(other, invitation)), None)
        if rival is not None and rival.call_id > call.call_id:
            call.hold_back()
            self._held_back.hold(call.call_id, rival.call_id)
        elif rival is not None:
            rival.give_way(now)
            self._tell(Replaced(rival.call_id, call.call_id))
            call.answer(now)
        else:
            self._ring_or_be_busy(call, len(others), most_calls, now)

    def _ring_or_be_busy(self, call: Call, others: int, most_calls: int, now: int) -> None:
        # CALL-18: "in a call that is not over"
        if others + self._in_groups() >= most_calls:
            call.be_busy(now)
        else:
            call.ring(now)

    @property
    def is_due(self) -> bool:
        """Whether an invitation that was held back waits no more."""
        return self._held_back.is_due

    def release_held_back(self, most_calls: int, now: int) -> None:
        """CALL-21: what waited for a call of ours rings if that is over, and finds this device busy if it was answered."""
        while (held_back := self._held_back.release()) is not None:
            current = self.current
            if (call := current.get(held_back)) is not None:
                others = current.keys() - {held_back, *self._held_back.invitations}
                self._ring_or_be_busy(call, len(others), most_calls, now)

    def _is_settled(self, call_id: bytes) -> bool:
        """Whether a call of ours is over, or answered."""
        call = self.current.get(call_id)
        return call is None or not call.may_give_way()

    # Whom to trust

    def end_revoked(self, trust: Trust, now: int) -> None:
        """CALL-33: certificates that were just seen, if only to be refused, may have revoked somebody who is in a call."""
        for call in self.current.values():
            for member in call.others():
                try:
                    trust.judge(member.certificate, now)
                except TrustError as error:
                    if error.reason is IdentityReason.REVOKED:
                        call.peer_revoked(now)

    def _compare_suites(
        self, certificates: list[VerifiedCertificate], call: Call, trust: Trust
    ) -> None:
        """KEYS-2: a peer that was once seen with a higher suite draws a warning."""
        if suite := trust.note_suites(certificates, _SUITE_ORDER):
            self._tell(SuiteLowered(call.call_id, call.account_id, suite))


def _is_glare(own: Call, invitation: Invitation) -> bool:
    """CALL-21: "and nobody has answered either call", of the account that this device is calling."""
    caller = invitation.caller
    return (
        own.may_give_way()
        and invitation.group_offer is None
        and own.account_id == caller.account_id
        and invitation.contact is not ContactState.CHANGED
        and own.is_with(caller.account_key)
    )
