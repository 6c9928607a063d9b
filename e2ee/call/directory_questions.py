"""What was asked of the directory and waits for its answer: who asked, in the order in which was asked.

Answers name no call, so each belongs to the question of its kind that waits longest. With the connection all are lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from e2ee.call.call import Call
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.posting import Posting
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService

__all__ = ["QUESTIONS", "DirectoryQuestions", "question_of"]

Asker = Call | Posting

_ASKED_BY: Mapping[type[FromService], str] = {
    messages.Devices: messages.Find.name,
    messages.KeyPackages: messages.Claim.name,
}
"""Which request each answer of the directory answers."""

QUESTIONS = frozenset(_ASKED_BY.values())


def question_of(answer: messages.Devices | messages.KeyPackages) -> str:
    """The request that this answers."""
    return _ASKED_BY[type(answer)]


class DirectoryQuestions:
    """See the module."""

    def __init__(self) -> None:
        self._asked: deque[tuple[str, Asker]] = deque()

    def asked(self, request: str, asker: Asker) -> None:
        """A question is on its way."""
        self._asked.append((request, asker))

    def lost(self) -> None:
        """None of them will be answered."""
        self._asked.clear()

    def answered(self, request: str, answer: FromService) -> Asker:
        """Who is answered. Raises CallRefused for what nobody asked."""
        if not self._asked or self._asked[0][0] != request:
            raise CallRefused(CallReason.UNEXPECTED_ANSWER, answer.name)
        asker = self._asked[0][1]
        account_id = getattr(answer, "account_id", None)
        if account_id not in (None, asker.account_id):
            raise CallRefused(CallReason.UNEXPECTED_ANSWER, f"about {account_id}")
        self._asked.popleft()
        return asker
