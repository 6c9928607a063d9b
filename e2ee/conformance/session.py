"""A talk with one adapter: who it is, and an answer to a case, or what went wrong instead.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.conformance.adapter_protocol import (
    Answer,
    Hello,
    NotTheProtocol,
    case_line,
    hello_line,
    read_answer,
    read_hello,
)
from e2ee.conformance.cases import Case
from e2ee.conformance.channel import Channel, Gone, NotStarted, Silent
from e2ee.conformance.shown import shown
from e2ee.conformance.verdict import Judgement, Verdict

__all__ = ["Exchange", "Session"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said about one case: the answer, or why there is none, and the adapter's last words then."""

    asked: str
    answered: bytes | None = None
    answer: Answer | None = None
    trouble: Judgement | None = None
    last_words: tuple[str, ...] = ()


class Session:
    """The talk. The adapter must say hello in so many seconds. Raises NotStarted if it does not."""

    def __init__(self, channel: Channel, specification: str, seconds: float) -> None:
        self.channel = channel
        channel.send(hello_line(specification))
        try:
            self.hello: Hello = read_hello(channel.receive(seconds))
        except Silent:
            raise self._not_started(f"the adapter did not say hello within {seconds:g} s") from None
        except Gone as gone:
            raise self._not_started(f"the adapter {gone}, before it said hello") from gone
        except NotTheProtocol as wrong:
            raise self._not_started(str(wrong)) from wrong

    def ask(self, number: int, case: Case, seconds: float) -> Exchange:
        """The adapter's answer. After a ``trouble`` the adapter has been killed, and the session is over."""
        asked, heard = case_line(number, case.group, case.input), None
        self.channel.send(asked)
        try:
            heard = self.channel.receive(seconds)
            return Exchange(asked, heard, read_answer(heard, number))
        except Silent:
            trouble = Judgement(Verdict.HANG, f"no answer within {seconds:g} s")
        except Gone as gone:
            trouble = Judgement(Verdict.CRASH, f"the adapter {gone}")
        except NotTheProtocol as wrong:
            trouble = Judgement(Verdict.CRASH, f"the adapter {wrong}")
        self.channel.kill()
        return Exchange(asked, heard, None, trouble, tuple(self.channel.last_words()))

    def close(self) -> str | None:
        """End the talk in good order; what was not in good order about it."""
        return self.channel.close()

    def _not_started(self, why: str) -> NotStarted:
        self.channel.kill()
        words = [f"\n  | {line}" for line in self.channel.last_words()]
        return NotStarted(shown(why, 2000) + "".join(words))
