"""The chapters Calls and Group calls: scripts, which one operation plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from e2ee.call.call import Call
from e2ee.call.end_reason import EndReason
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.group.group_call import GroupCall
from e2ee.call.medium import Medium
from e2ee.conformance.adapter.call_script_device import ScriptedDevice, overheard
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, Refused, operation
from e2ee.errors import E2EEError
from e2ee.media.encoded_frame import Kind
from e2ee.profile.call_profile import JoinPolicy
from e2ee.signalling import messages
from e2ee.signalling.messages import SERVICE
from e2ee.signalling.wire import decode

__all__ = ["play"]

Step = Mapping[str, Any]

QUIET: Mapping[str, Any] = {"told": [], "sent": []}


def play(given: Given) -> Answer:
    """A script, step by step."""
    with overheard() as names:
        device = ScriptedDevice(given, names)
        for step in given["state"]["before"]:
            if (reason := _refusal(device, step)) is not None:
                raise AssertionError(f"{reason} before the script begins")
            device.came()
        came, reasons = [], []
        for step in given["steps"]:
            reason = _refusal(device, step)
            reasons.append(reason)
            came.append({"refused": reason is not None, **device.came()})
    last, reason = came[-1], reasons[-1]
    if reason is not None and all(last[name] == none for name, none in QUIET.items()):
        return Refused(reason, {"steps": came[:-1], "reasons": reasons})
    return Accepted({"steps": came}, {"reasons": reasons})


for _name in (
    "calls/ringing",
    "calls/placing",
    "calls/following",
    "calls/attack",
    "group-calls/joining",
    "group-calls/following",
    "group-calls/hosting",
    "group-calls/attack",
):
    operation(_name)(play)


def _refusal(device: ScriptedDevice, step: Step) -> str | None:
    """Do a step, and what is due when it is done; gives the reason if the device refuses."""
    device.advance(step["at"])
    reason = _reason(device, step)
    device.advance(step["at"])
    return reason


def _reason(device: ScriptedDevice, step: Step) -> str | None:
    try:
        match step:
            case {"receive": data}:
                device.core.receive(decode(SERVICE, bytes.fromhex(data)), device.now)  # type: ignore[arg-type]
            case {"own_commit": number}:
                commit = device.committed[number]
                logged = messages.Committed(commit.call_id, commit.commit, 0)
                device.core.receive(logged, device.now)
            case {"do": what}:
                _DEEDS[what](device, step)
    except E2EEError as error:
        return error.reason.value
    return None


# What people and their application do


def _call(device: ScriptedDevice) -> Call:
    """The newest call between two."""
    if not (calls := [*device.core.calls.values()]):
        raise CallUsageError(CallReason.UNKNOWN_CALL)
    return calls[-1]


def _group(device: ScriptedDevice) -> GroupCall:
    if not (calls := [*device.core.group_calls.values()]):
        raise CallUsageError(CallReason.UNKNOWN_CALL)
    return calls[-1]


def _disconnect(device: ScriptedDevice, _: Step) -> None:
    device.core.disconnected(device.now)


def _log_in(device: ScriptedDevice, _: Step) -> None:
    device.core.logged_in(device.now)


def _place(device: ScriptedDevice, step: Step) -> None:
    device.core.place_call(step["account_id"], device.now, Medium(step["medium"]))


def _create(device: ScriptedDevice, step: Step) -> None:
    device.core.create_group_call(device.now, join_policy=_POLICIES[step["join_policy"]])


_POLICIES = {"closed": JoinPolicy.CLOSED, "admitted": JoinPolicy.ADMITTED, "link": JoinPolicy.LINK}

_DEEDS: Mapping[str, Callable[[ScriptedDevice, Step], None]] = {
    "disconnect": _disconnect,
    "log-in": _log_in,
    # a call between two
    "call": _place,
    "answer": lambda device, _: _call(device).answer(device.now),
    "decline": lambda device, step: _call(device).decline(device.now, step["text"]),
    "hang-up": lambda device, _: _call(device).hang_up(device.now, EndReason.DONE),
    "describe": lambda device, step: _call(device).describe(step["description"], device.now),
    "answer-connection": lambda device, step: _call(device).reconnected(
        step["number"], step["description"], device.now
    ),
    # a group call
    "create": _create,
    "leave": lambda device, _: _group(device).leave(device.now),
    "reply-to-stage": lambda device, step: _group(device).reply_to_stage(
        step["accepted"], device.now
    ),
    "remove": lambda device, step: _group(device).remove(step["leaf"], device.now),
    "ban": lambda device, step: _group(device).ban(step["leaf"], device.now),
    "admit": lambda device, step: _group(device).admit(step["account_id"], device.now),
    "turn-away": lambda device, step: _group(device).turn_away(step["account_id"], device.now),
    "change-link": lambda device, _: _group(device).change_link(device.now),
    "invite-to-stage": lambda device, step: _group(device).invite_to_stage(
        step["leaf"], device.now
    ),
    "request-mute": lambda device, step: _group(device).request_mute(
        step["leaf"], Kind(step["kind"]), device.now
    ),
}
