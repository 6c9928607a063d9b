"""The work behind the table of a group call: one method for each ``Action``.

``GroupCall`` says when, this says what. Each method either does all of its work or raises and has done nothing; none looks at
the state of the call or changes it. Until a device is in: ``coming_in``; what goes into commits and comes of them:
``committing``; the rest is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from e2ee.call.events import (
    EndReason,
    Event,
    PresenceChanged,
    RequestRefused,
)
from e2ee.call.group.coming_in import ComingIn
from e2ee.call.group.committing import Committing
from e2ee.call.group.events import (
    MediaOffered,
    Stranded,
)
from e2ee.call.group.payloads import Invalid
from e2ee.call.group.states import Action
from e2ee.call.policy import Said
from e2ee.call.roster import Member
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromDevice

__all__ = ["ACTIONS", "GroupCallActions"]


class GroupCallActions(ComingIn, Committing):
    """See the module."""

    # In the call

    def say(self, spoken: Sequence[CallMessage], _now: int) -> None:
        for message in spoken:
            self.inside.say(message)

    def ask_forwarder(self, request: FromDevice, _now: int) -> None:
        self.outbox.append(request)

    def report_forwarder(self, event: Event, _now: int) -> None:
        if isinstance(event, MediaOffered):
            self.last_offer = event.number
        self.events.append(event)

    def hasten_alive(self, _: None, _now: int) -> None:
        self.in_group.alive.hasten()

    def report_presence(self, presence: PresenceChanged, _now: int) -> None:
        """The service's word, for people to see; nothing depends on it but when the next ``alive`` is due (DS-11)."""
        self.events.append(presence)
        if presence.connected:
            self.in_group.alive.hasten()

    def send_alive(self, _: None, now: int) -> None:
        self.inside.say_alive(now)

    def acknowledge(self, said: Said, now: int) -> None:
        self.inside.acknowledge(said, now)

    def hear(self, said: Said, now: int) -> None:
        self.inside.hear(said, now)

    def report_refusal(self, refused: messages.Refused, _now: int) -> None:
        self.events.append(
            RequestRefused(refused.request, refused.call_id, refused.reason, refused.detail)
        )

    # When the log cannot be followed

    def report_invalid(self, invalid: Invalid, _now: int) -> None:
        """GROUP-20: "MUST be reported with `report_invalid`, and MUST NOT be applied"."""
        if invalid.counts:
            self.invalid_commits += 1
            self.unfollowed.append(invalid.commit)
        self.outbox.append(messages.ReportInvalid(self.call_id, self.in_group.number))
        self.events.append(Stranded(self.call_id, invalid.committer, invalid.detail))

    def await_log(self, _: object, _now: int) -> None:
        """The service took none of what was said in this epoch: the next one is on its way, or was."""

    def ignore(self, _: object, _now: int) -> None:
        """What says nothing any more."""

    def go_on(self, _: object, now: int) -> None:
        """GROUP-20: "the call goes on with another commit of that epoch"."""
        self.in_group.commit_refused(now)

    # The end

    def give_up(self, _: None, now: int) -> None:
        """What the group has of this device, if it has a leaf already or still, is to go (GROUP-16)."""
        if self.anew or self.fetching is not None or self.opening is not None:
            self.outbox.append(messages.Leave(self.call_id))
        self._end(EndReason.LEFT, now, remote=False)

    def leave(self, _: None, now: int) -> None:
        """GROUP-16: "Who leaves MUST send `left` and `leave`"."""
        self.inside.say(messages.Left())
        self.collect()
        self.outbox.append(messages.Leave(self.call_id))
        self._end(EndReason.LEFT, now, remote=False)

    def fail(self, invalid: Invalid, now: int) -> None:
        """GROUP-28: "MUST have reported the third commit, too, and MUST send `leave`"."""
        self.outbox.append(messages.ReportInvalid(self.call_id, self.in_group.number))
        self.outbox.append(messages.Leave(self.call_id))
        self._end(EndReason.PROTOCOL_ERROR, now, remote=True, detail=invalid.detail)

    def end_lost(self, _: None, now: int) -> None:
        self._end(EndReason.LOST, now, remote=True)

    def end_refused(self, refused: messages.Refused, now: int) -> None:
        self._end(EndReason.REFUSED, now, remote=True, detail=_detail(refused))

    def end_turned_away(self, _: None, now: int) -> None:
        self._end(EndReason.TURNED_AWAY, now, remote=True)

    def end_removed(self, committer: Member, now: int) -> None:
        """GROUP-17."""
        detail = f"by {committer.account_id}, leaf {committer.leaf_index}"
        self._end(EndReason.REMOVED, now, remote=True, detail=detail)

    def end_unknown(self, refused: messages.Refused, now: int) -> None:
        """GROUP-17: "or whose call the service says is unknown"."""
        self._end(EndReason.REFUSED, now, remote=True, detail=_detail(refused))


def _detail(refused: messages.Refused) -> str:
    return f"{refused.request}: {refused.reason} {refused.detail}".rstrip()


ACTIONS: Mapping[Action, Callable[[GroupCallActions, Any, int], None]] = {
    action: getattr(GroupCallActions, action.value.replace("-", "_")) for action in Action
}
"""The method of each action, which has its name: (payload of the input, now) -> None."""
