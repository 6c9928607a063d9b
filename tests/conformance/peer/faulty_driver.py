"""``python -m tests.conformance.peer.faulty_driver FAULT``: the driver, of a client that lacks one rule.

The peer has to find each of them by the scenario beside it (``FAULTS``).
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, cast

import msgpack  # type: ignore[import-untyped]

from e2ee.call import actions, epochs, incoming_invite, logged, policy
from e2ee.call.actions import CallActions
from e2ee.call.calls import Calls
from e2ee.call.chat.in_order import InOrder
from e2ee.call.events import Ended, EndReason, Live
from e2ee.call.key_packages import KeyPackages
from e2ee.call.states import Action
from e2ee.client.call import Call
from e2ee.client.connection import Connection
from e2ee.client.group_call import GroupCall
from e2ee.client.key_store import StoredSeenCalls
from e2ee.conformance.peer import driver
from e2ee.conformance.verdict import Verdict
from e2ee.identity.trust import Trust
from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.media.send_epochs import SendEpochs
from e2ee.profile.legal_commits import LegalCommit
from e2ee.sframe.counter import Counter
from e2ee.sframe.replay import ReplayWindow
from e2ee.signalling import messages
from e2ee.signalling.errors import WireError
from e2ee.signalling.wire import decode
from e2ee.testing.hostile.lenient_media import ignores_the_stream, passes_through

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True)
class Fault:
    """What is wrong with the client, the scenario that finds it, and how that ends then."""

    break_it: Callable[[], None]
    scenario: str
    verdict: Verdict
    fast: bool = True
    """Whether it is looked for with each change, too."""


def _set(target: object, **attributes: Any) -> Callable[[], None]:
    def break_it() -> None:
        for name, value in attributes.items():
            assert hasattr(target, name), name  # else nothing would be broken
            setattr(target, name, value)

    return break_it


def _both(*breaks: Callable[[], None]) -> Callable[[], None]:
    def break_it() -> None:
        for each in breaks:
            each()

    return break_it


def _never_advances() -> None:
    """The first epoch that was sent with is sent with for good."""
    advance = SendEpochs._advance

    def stay(self: SendEpochs, now: int) -> None:
        if self._in_use is None:
            advance(self, now)

    SendEpochs._advance = stay  # type: ignore[method-assign]


def _sends_although_muted() -> None:
    """It says that nothing is sent, and sends."""

    def mute(self: Call) -> None:
        self._media._tracks = {**self._media._tracks, Kind.MICROPHONE: None}
        self._announce()

    Call.mute = mute  # type: ignore[method-assign]


def _rings_always() -> None:
    ring_or_be_busy = Calls._ring_or_be_busy

    def ring(self: Calls, call: Any, others: int, most_calls: int, now: int) -> None:
        ring_or_be_busy(self, call, others, most_calls + 9, now)

    Calls._ring_or_be_busy = ring  # type: ignore[method-assign]


def _is_live_at_once() -> None:
    """For the answering device, too, before the caller has said anything."""
    enter_call = CallActions.enter_call

    def enter(self: CallActions, logged: Any, now: int) -> None:
        enter_call(self, logged, now)
        self.events.append(Live(self.call_id))

    cast(dict[Action, Any], actions.ACTIONS)[Action.ENTER_CALL] = enter


def _takes_any_encoding() -> None:
    def lenient(family: Any, data: bytes) -> Any:
        try:
            return decode(family, data)
        except WireError:
            with suppress(ValueError):
                _, *values = msgpack.unpackb(data)
                return messages.Chat(*values)
            raise

    _set(epochs, decode=lenient)()


def _counts_in_circles() -> None:
    make = Counter.__init__

    def in_circles(self: Counter, limit: int) -> None:
        make(self, limit)
        self.draw = cycle(range(60)).__next__

    Counter.__init__ = in_circles  # type: ignore[method-assign]


def _does_not_hear_that_it_is_out() -> None:
    happened = GroupCall.happened

    def deaf(self: GroupCall, event: Any) -> None:
        if not isinstance(event, Ended) or event.reason is not EndReason.REMOVED:
            happened(self, event)

    GroupCall.happened = deaf  # type: ignore[method-assign]


def _dies_of_junk() -> None:
    """A message that is none, and with it the connection, ends the process."""

    async def cut_off(*_: object) -> None:
        os._exit(3)

    Connection.log_in_again = cut_off  # type: ignore[assignment, method-assign]


def _never_comes_back() -> None:
    async def wait(*_: object) -> None:
        await asyncio.get_running_loop().create_future()

    Connection.log_in_again = wait  # type: ignore[assignment, method-assign]


def _tells_no_text() -> None:
    told = driver._told

    def without_text(event: Any) -> Any:
        return told(replace(event, text="") if hasattr(event, "text") else event)

    driver._told = without_text


def _counted(
    self: FrameOpener, stream: IncomingStream, data: bytes, now: int, context: object = None
) -> Any:
    before = stream.opened
    outcome = passes_through(self, stream, data, now, context)
    stream.opened += isinstance(outcome, OpenedFrame) and stream.opened == before
    return outcome


def _no(*_: object, **__: object) -> bool:
    return False


def _yes(*_: object, **__: object) -> bool:
    return True


def _nothing(*_: object, **__: object) -> None:
    return None


FAULTS: Mapping[str, Fault] = {
    "rings-for-the-blocked": Fault(
        _set(Trust, is_blocked=_no), "who-is-blocked-does-not-ring", Verdict.FAIL
    ),
    "rings-for-old-invitations": Fault(
        _set(incoming_invite, OFFER_TOLERANCE=1 << 60),
        "an-invitation-of-yesterday-does-not-ring",
        Verdict.FAIL,
        fast=False,
    ),
    "rings-in-a-call": Fault(_rings_always, "a-second-caller-hears-busy", Verdict.FAIL, fast=False),
    "rings-again": Fault(
        _both(_set(StoredSeenCalls, seen=_no), _set(KeyPackages, drop=_nothing)),
        "an-invitation-again",
        Verdict.FAIL,
    ),
    "tells-no-text": Fault(
        _tells_no_text, "the-peer-declines-with-a-text", Verdict.FAIL, fast=False
    ),
    "is-live-at-once": Fault(
        _is_live_at_once, "an-answer-that-the-caller-never-heard", Verdict.FAIL, fast=False
    ),
    "shows-another-call-code": Fault(
        _set(epochs, call_code=lambda _: "0" * 60), "codes-are-equal", Verdict.FAIL, fast=False
    ),
    "shows-texts-again": Fault(
        _set(InOrder, check=_nothing), "texts-that-are-none", Verdict.FAIL, fast=False
    ),
    "takes-any-encoding": Fault(_takes_any_encoding, "what-is-encoded-otherwise", Verdict.FAIL),
    "takes-any-hangup": Fault(
        _set(policy, _check_hangup=_nothing), "answers-in-the-wrong-state", Verdict.FAIL
    ),
    "follows-any-commit": Fault(
        _set(logged, judge=lambda *_, **__: LegalCommit.TIMED),
        "a-commit-that-is-not-legal",
        Verdict.HANG,
        fast=False,
    ),
    "dies-of-junk": Fault(
        _dies_of_junk, "the-client-survives-junk-from-the-service", Verdict.CRASH
    ),
    "never-comes-back": Fault(
        _never_comes_back, "the-client-comes-back-to-the-service", Verdict.HANG, fast=False
    ),
    "plays-replays": Fault(_set(ReplayWindow, is_new=_yes), "replayed-frames", Verdict.LEAK),
    "plays-what-is-clear": Fault(
        _set(FrameOpener, open=_counted), "frames-in-the-clear", Verdict.LEAK, fast=False
    ),
    "plays-anybodys-frames": Fault(
        _set(FrameOpener, open=ignores_the_stream),
        "frames-of-a-third-member",
        Verdict.LEAK,
        fast=False,
    ),
    "sends-although-muted": Fault(
        _sends_although_muted, "who-is-muted-sends-nothing", Verdict.FAIL, fast=False
    ),
    "keeps-its-first-keys": Fault(
        _never_advances, "who-is-removed-hears-nothing-more", Verdict.HANG, fast=False
    ),
    "counts-in-circles": Fault(
        _counts_in_circles, "a-video-call-by-the-peer", Verdict.HANG, fast=False
    ),
    "stays-when-removed": Fault(
        _does_not_hear_that_it_is_out, "the-client-is-removed", Verdict.HANG, fast=False
    ),
}


if __name__ == "__main__":
    FAULTS[sys.argv[1]].break_it()
    driver.main()
