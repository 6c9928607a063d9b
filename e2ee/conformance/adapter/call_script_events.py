"""What a device reports in scripts of calls, in the words of the chapter Calls: the events that have one, as JSON.

An event that is not in ``REPORTS`` is this implementation's own, and no script asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from e2ee.call import events
from e2ee.call.chat import events as chat
from e2ee.call.group import events as group
from e2ee.call.roster import Member
from e2ee.profile.call_profile import CallProfile

__all__ = ["report"]

Report = dict[str, Any]


def report(event: events.Event, profile: CallProfile | None) -> Report | None:
    """An event as a script has it; ``profile`` is that of its call, if it is a group call. None if scripts have no word for it."""
    if (made := REPORTS.get(type(event))) is None:
        return None
    told = made(event)
    if told is not None and told["event"] == "epoch" and profile is not None:
        told |= _roles(event, profile)
    return told


def _rings(event: events.Ringing) -> Report:
    told = {
        "event": "rings",
        "account_id": event.caller.account_id,
        "medium": event.medium.value,
        "contact": event.contact.value,
    }
    if event.group is not None:
        told["group_call_id"] = event.group.group_call_id.hex()
    return told


def _epoch(event: events.EpochChanged | group.Joined) -> Report:
    members = [
        {
            "leaf": member.leaf_index,
            "account_id": member.account_id,
            "device_id": member.certificate.device_id,
        }
        for member in event.members
    ]
    return {
        "event": "epoch",
        "epoch": event.epoch,
        "members": members,
        "call_code": event.call_code.replace(" ", ""),
    }


def _roles(event: Any, profile: CallProfile) -> Report:
    return {
        "hosts": _leaves(m for m in event.members if profile.is_host(m.account_key)),
        "speakers": _leaves(m for m in event.members if profile.may_speak(m.account_key)),
    }


def _leaves(members: Iterable[Member]) -> list[int]:
    return [member.leaf_index for member in members]


def _media(event: events.MediaChanged) -> Report:
    sent = event.sent
    return {
        "event": "media",
        "leaf": event.member.leaf_index,
        "microphone": sent.microphone,
        "camera": sent.camera,
        "screen": sent.screen,
        "on_hold": sent.on_hold,
    }


def _lag(event: events.LagChanged) -> Report | None:
    if not event.lag.shown:
        return None
    return {
        "event": "lag",
        "leaf": event.member.leaf_index,
        "milliseconds": event.lag.milliseconds,
        "withheld": event.lag.withheld,
    }


def _streams(event: group.StreamsChanged) -> Report:
    streams = [
        {
            "kind": stream.kind.value,
            "instance": stream.instance,
            "codec": stream.codec.value,
            "mid": stream.mid,
        }
        for stream in event.streams
    ]
    return {"event": "streams", "leaf": event.member.leaf_index, "streams": streams}


def _of_a_leaf(name: str, member: str, *values: str) -> Callable[[Any], Report]:
    def make(event: Any) -> Report:
        told = {"event": name, "leaf": getattr(event, member).leaf_index}
        return told | {value: getattr(event, value) for value in values}

    return make


REPORTS: Mapping[type[events.Event], Callable[[Any], Report | None]] = {
    events.Ringing: _rings,
    events.Ended: lambda event: {"event": "ended", "reason": event.reason.value},
    events.EpochChanged: _epoch,
    events.IdentityChanged: lambda event: {
        "event": "identity-changed",
        "account_id": event.certificate.account_id,
    },
    events.SuiteLowered: lambda event: {
        "event": "suite-lowered",
        "account_id": event.account_id,
        "suite": event.suite,
    },
    events.DescriptionReceived: lambda event: {
        "event": "description",
        "description": event.description,
    },
    events.MediaChanged: _media,
    events.ReconnectReceived: lambda event: {
        "event": "connection",
        "number": event.number,
        "description": event.description,
    },
    events.SendingStopped: lambda event: {
        "event": "stopped",
        "reason": event.reason.value,
        "silent": _leaves(event.silent),
    },
    events.SendingResumed: lambda _: {"event": "resumed"},
    events.LagChanged: _lag,
    events.RemovalComplete: lambda event: {
        "event": "removed-until",
        "leaves": sorted(event.leaves),
        "until": event.until,
    },
    chat.TextReceived: lambda event: {"event": "chat", "leaf": event.leaf, "text": event.text},
    # group calls
    group.Joined: _epoch,
    group.Knocked: lambda event: {
        "event": "knock",
        "account_id": event.knock.account_id,
        "device_id": event.knock.certificate.device_id,
    },
    group.HandRaised: _of_a_leaf("hand", "member", "raised"),
    group.InvitedToStage: _of_a_leaf("stage-invitation", "host"),
    group.StageReplied: _of_a_leaf("stage-reply", "member", "accepted"),
    group.MuteRequested: lambda event: {
        "event": "mute-request",
        "leaf": event.host.leaf_index,
        "kind": event.kind.value,
    },
    group.MemberLeft: _of_a_leaf("left", "member"),
    group.StreamsChanged: _streams,
}
