"""The events of a call in words for people, and in fields for programs: one row each.

What other people wrote is made harmless here and nowhere later. Texts of chats are ``talk``'s: they need more than words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from e2ee.call.chat import events as chat
from e2ee.call.end_reason import EndReason
from e2ee.call.events import (
    BusyThere,
    CallEvent,
    Calling,
    Ended,
    EpochChanged,
    IdentityChanged,
    LagChanged,
    Live,
    MediaChanged,
    PresenceChanged,
    RemovalComplete,
    Replaced,
    RingsThere,
    SendingResumed,
    SendingStopped,
    SuiteLowered,
)
from e2ee.call.roster import Member
from e2ee.call.spoken_code import CodeFailed, CodeReady, CodeWanted
from e2ee.cli.calls.shown import digits, isolated, visible
from e2ee.cli.calls.status import media_in_words, suite_name
from e2ee.client.call import Connected, Interrupted

__all__ = ["Told", "device", "in_words", "named"]

_WARNING = "bold red"


@dataclass(frozen=True)
class Told:
    """``text`` and ``style`` for people; ``event`` and ``fields`` for programs."""

    event: str
    text: str
    fields: Mapping[str, object] = field(default_factory=dict)
    style: str = ""


def device(member: Member) -> str:
    """A device in words: the name is the server's word until the account is verified."""
    return f"{isolated(member.account_id)}'s device {member.device_id}"


def in_words(event: CallEvent) -> Told | None:
    """What happened; None for what is of no interest by itself."""
    words = _WORDS.get(type(event))
    return None if words is None else words(event)


def named(member: Member) -> dict[str, object]:
    """A device in fields."""
    return {"account": member.account_id, "device": member.device_id}


def _calling(event: Calling) -> Told:
    count, who = len(event.devices), isolated(event.devices[0].account_id)
    text = f"calls {who}: {count} device{'s' if count != 1 else ''}"
    return Told("calling", text, {"devices": [named(each) for each in event.devices]})


def _rings(event: RingsThere) -> Told:
    return Told("rings", f"{device(event.device)} rings", named(event.device))


def _busy(event: BusyThere) -> Told:
    return Told("busy", f"{device(event.device)} is in another call", named(event.device))


def _epoch(event: EpochChanged) -> Told:
    text = f"epoch {event.epoch}, by {device(event.committer)}; call code {digits(event.call_code)}"
    fields = {
        "epoch": event.epoch,
        "committer": named(event.committer),
        "members": [named(each) for each in event.members],
        "call_code": event.call_code,
    }
    return Told("epoch", text, fields, "dim")


def _media(event: MediaChanged) -> Told:
    text = f"{device(event.member)} sends: {media_in_words(event.sent)}"
    return Told("media", text, asdict(event.sent))


def _stopped(event: SendingStopped) -> Told:
    silent = ", ".join(map(device, event.silent))
    text = f"not sending: {event.reason}" + (f"; not in this branch: {silent}" if silent else "")
    fields = {"reason": event.reason, "silent": [named(each) for each in event.silent]}
    return Told("sending_stopped", text, fields, _WARNING)


def _lag(event: LagChanged) -> Told:
    late = event.lag.milliseconds
    text = f"{device(event.member)} comes {late / 1000:.1f} s late"
    text += ": not shown" if event.lag.withheld else ""
    fields = {"milliseconds": late, "withheld": event.lag.withheld}
    return Told("lag", text, fields, _WARNING if event.lag.shown else "")


def _removal(event: RemovalComplete) -> Told:
    fields = {"leaves": sorted(event.leaves), "until": event.until}
    return Told("removal_complete", "who was removed opens nothing any more", fields)


def _presence(event: PresenceChanged) -> Told:
    how = "is" if event.connected else "is not"
    text = f"{device(event.member)} {how} connected to the service, by its word"
    return Told("presence", text, {**named(event.member), "connected": event.connected}, "dim")


def _changed(event: IdentityChanged) -> Told:
    who = event.certificate.account_id
    text = (
        f"{isolated(who)} has ANOTHER KEY than the one known so far, and is not called.\n"
        f"  It is a new account of theirs, or somebody between you. Ask them by another way, then:\n"
        f"  e2ee contacts accept {visible(who)}"
    )
    return Told("identity_changed", text, {"account": who}, _WARNING)


def _lowered(event: SuiteLowered) -> Told:
    text = f"{isolated(event.account_id)} once had {suite_name(event.suite)}: an older device, or a downgrade"
    return Told("suite_lowered", text, {"suite": event.suite}, _WARNING)


def _wanted(_: CodeWanted) -> Told:
    text = "they want to compare a spoken code: c (or /code) joins"
    return Told("code_wanted", text, style="bold")


def _ready(event: CodeReady) -> Told:
    emoji = "   ".join(map(str, event.code.emoji))
    text = (
        f"spoken code:  {emoji}   ({event.code.digits})\n"
        "  Read it to each other, aloud, not in a chat. Is it the same at both? y or n (/yes, /no)"
    )
    names = [each.name for each in event.code.emoji]
    fields = {"emoji": names, "digits": event.code.digits}
    return Told("code", text, fields, "bold")


def _failed(event: CodeFailed) -> Told:
    text = f"no spoken code: {event.reason}"
    if event.warning:
        text += ". Somebody may have tried to choose one: compare the safety number by another way"
    fields = {"reason": event.reason, "warning": event.warning}
    return Told("code_failed", text, fields, _WARNING if event.warning else "")


def _missing(event: chat.TextsMissing) -> Told:
    which = str(event.first) if event.first == event.last else f"{event.first} to {event.last}"
    fields = {"first": event.first, "last": event.last}
    return Told("texts_missing", f"[text {which} did not come]", fields, "red")


def _reacted(event: chat.Reacted) -> Told:
    text = f"[{event.number}: {isolated(event.reaction) if event.reaction else 'no reaction any more'}]"
    fields = {"author": event.author, "number": event.number, "reaction": event.reaction}
    return Told("reaction", text, fields)


def _caption(event: chat.CaptionReceived) -> Told | None:
    fields = {"number": event.number, "text": event.text, "final": event.final}
    return Told("caption", f"[says] {isolated(event.text)}", fields) if event.final else None


def _live_text(event: chat.LiveTextReceived) -> Told | None:
    fields = {"line": event.line, "text": event.text}
    return Told("live_text", f"[writes] {isolated(event.text)}", fields) if event.ended else None


_ENDS: Mapping[tuple[EndReason, bool], str] = {
    (EndReason.DONE, False): "the call has ended",
    (EndReason.DONE, True): "they hung up",
    (EndReason.CANCELLED, False): "cancelled",
    (EndReason.CANCELLED, True): "they gave up calling",
    (EndReason.TIMEOUT, False): "nobody answered",
    (EndReason.TIMEOUT, True): "nobody answered",
    (EndReason.DECLINED, False): "declined",
    (EndReason.DECLINED, True): "they declined",
    (EndReason.BUSY, True): "they are in another call",
    (EndReason.ANSWERED_ELSEWHERE, True): "answered on another device",
    (EndReason.UNREACHABLE, True): "no device of theirs can be called",
    (EndReason.UNREACHABLE, False): "no device of theirs can be called",
    (EndReason.REVOKED, True): "their device was revoked",
    (EndReason.LOST, True): "the service was lost",
    (EndReason.LOST, False): "the service was lost",
    (EndReason.REFUSED, True): "the service refused the call",
}


def _ended(event: Ended) -> Told:
    text = _ENDS.get((event.reason, event.remote), f"ended: {event.reason}")
    if event.text:
        text += f": {isolated(event.text)}"
    elif event.detail and event.reason not in (EndReason.DONE, EndReason.DECLINED):
        text += f" ({visible(event.detail)})"
    fields = {"reason": event.reason, "remote": event.remote, "text": event.text}
    return Told("ended", text, fields, "bold")


_WORDS: Mapping[type[CallEvent], Callable[[Any], Told | None]] = {
    Calling: _calling,
    RingsThere: _rings,
    BusyThere: _busy,
    EpochChanged: _epoch,
    Live: lambda _: Told("live", "answered"),
    Connected: lambda _: Told("connected", "connected", style="green"),
    Interrupted: lambda _: Told(
        "interrupted", "interrupted: tries another connection", style="red"
    ),
    MediaChanged: _media,
    SendingStopped: _stopped,
    SendingResumed: lambda _: Told("sending_resumed", "sends again"),
    LagChanged: _lag,
    RemovalComplete: _removal,
    PresenceChanged: _presence,
    IdentityChanged: _changed,
    SuiteLowered: _lowered,
    Replaced: lambda _: Told("replaced", "both called: the other call goes on"),
    CodeWanted: _wanted,
    CodeReady: _ready,
    CodeFailed: _failed,
    chat.TextsMissing: _missing,
    chat.Reacted: _reacted,
    chat.CaptionReceived: _caption,
    chat.LiveTextReceived: _live_text,
    Ended: _ended,
}
