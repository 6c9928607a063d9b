"""The chapter Verification: one device in an attempt at a spoken code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from e2ee.call.code_emoji import EMOJI
from e2ee.call.events import CallEvent
from e2ee.call.spoken_code import CodeEpoch, CodeFailed, CodeReady, CodeWanted, SpokenCode
from e2ee.conformance.adapter.operations import Answer, Given, operation
from e2ee.conformance.adapter.step_by_step import Outcome, step_by_step
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.trust import MemoryTrustStore, Trust
from e2ee.signalling.messages import CodeCommit, CodeReveal


class _Drawn(SeededEntropy):
    """The bytes that the case draws."""

    def __init__(self, drawn: bytes) -> None:
        super().__init__(drawn)
        self._drawn = drawn

    def random(self, length: int) -> bytes:
        return self._drawn[:length]


class _Device:
    def __init__(self, given: Given) -> None:
        trust = Trust(MemoryTrustStore(), DirectoryKeys({}))
        for at in given["earlier"]:
            trust.note_code_attempt("bob", at)
        self._given = given
        self._code = SpokenCode(trust)

    def act(self, step: Given) -> Outcome:
        """What the step makes it send and tell."""
        now = step["at"]
        while (due := self._code.get_timer()) is not None and due <= now:
            self._code.handle_timer(due)
        _STEPS[step["step"]](self, step, now)
        told = []
        while (event := self._code.next_event()) is not None:
            told.append(_event(event))
        return {"sent": [_message(each) for each in self._code.messages_to_send()], "told": told}

    def enter(self, step: Given, _now: int) -> None:
        """An epoch."""
        self._code.enter_epoch(
            CodeEpoch(
                call_id=bytes.fromhex(self._given["call_id"]),
                number=step["epoch"],
                authenticator=Secret(bytes.fromhex(step["epoch_authenticator"])),
                sas_key=Secret(bytes.fromhex(step["sas_key"])),
                own_leaf=self._given["own_leaf"],
                accounts={each["leaf"]: each["account_id"] for each in step["members"]},
                one_to_one=self._given["one_to_one"],
            )
        )

    def begin(self, step: Given, now: int) -> None:
        """Its person wants a code."""
        self._code.begin(now, _Drawn(bytes.fromhex(step["random"])))

    def commit(self, step: Given, now: int) -> None:
        """Another's commitment."""
        said = CodeCommit(step["attempt"], bytes.fromhex(step["commitment"]))
        self._code.receive(step["leaf"], step["epoch"], said, now)

    def reveal(self, step: Given, now: int) -> None:
        """Another's bytes."""
        said = CodeReveal(step["attempt"], bytes.fromhex(step["random"]))
        self._code.receive(step["leaf"], step["epoch"], said, now)

    def end(self, _step: Given, _now: int) -> None:
        """Another ended the call."""
        self._code.call_ended(by_others=True)

    def wait(self, _step: Given, _now: int) -> None:
        """Nothing."""


_STEPS: Mapping[str, Callable[[_Device, Given, int], None]] = {
    "epoch": _Device.enter,
    "begin": _Device.begin,
    "commit": _Device.commit,
    "reveal": _Device.reveal,
    "end": _Device.end,
    "wait": _Device.wait,
}


def _message(said: CodeCommit | CodeReveal) -> dict[str, Any]:
    if isinstance(said, CodeCommit):
        return {"commit": said.commitment.hex(), "attempt": said.attempt}
    return {"reveal": said.random.hex(), "attempt": said.attempt}


def _event(event: CallEvent) -> dict[str, Any]:
    match event:
        case CodeWanted():
            return {"event": "wanted", "leaf": event.leaf}
        case CodeReady():
            rows = [EMOJI.index(emoji) for emoji in event.code.emoji]
            said = {"emoji": rows, "digits": event.code.digits}
            return {"event": "ready", **said, "verifies": event.verifies}
        case CodeFailed():
            return {"event": "failed", "warning": event.warning}
    raise TypeError(type(event).__name__)


@operation("verification/attempt")
def attempt(given: Given) -> Answer:
    """VERIFY-3, VERIFY-4, VERIFY-6 to VERIFY-9."""
    return step_by_step(given["steps"], _Device(given).act)
