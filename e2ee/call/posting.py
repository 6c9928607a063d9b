"""Posting: a letter on its way, from a look at the directory to the service's word that it is kept (LETTER-6).

The same questions as for a call are asked and judged in the same way; then the letter is sealed and posted. There is no state
but what was asked last.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.events import Event, LetterFailed
from e2ee.call.letters import Message, make_letter
from e2ee.call.outgoing_invite import choose_suite_to_claim, judge_key_packages
from e2ee.call.owner import Owner
from e2ee.errors import RemoteProtocolError
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService

__all__ = ["Posting"]


class Posting:
    """See the module. ``number`` is its device's name for it."""

    def __init__(self, owner: Owner, number: int, account_id: str, message: Message) -> None:
        self.number = number
        self.account_id = account_id
        self._owner = owner
        self._message = message
        self._suite = 0
        self.events: deque[Event] = deque()
        self.outbox: deque[FromDevice] = deque([messages.Find(account_id)])

    def receive(self, answer: FromService, now: int) -> None:
        """What the directory says. What cannot be posted ends with ``LetterFailed``."""
        try:
            self._continue(answer, now)
        except RemoteProtocolError as error:
            self.fail(str(error))

    def _continue(self, answer: Any, now: int) -> None:
        owner = self._owner
        match answer:
            case messages.Devices():
                self._suite = choose_suite_to_claim(
                    owner, self.account_id, answer.certificates, now
                )
                self.outbox.append(messages.Claim(self.account_id, self._suite))
            case messages.KeyPackages():
                packages = answer.key_packages
                judged = judge_key_packages(owner, self.account_id, self._suite, packages, now)
                self.outbox.append(make_letter(owner, judged, self._message, now))
            case messages.Refused():
                raise CallRefused(CallReason.NO_DEVICE, f"{answer.reason} {answer.detail}")

    def fail(self, detail: str) -> None:
        """Nothing was posted."""
        self.events.append(LetterFailed(self.number, self.account_id, detail))
