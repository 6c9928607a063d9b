"""A meeting on simulated time: a group call, and the devices in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.link import GroupLink
from e2ee.call.group.states import State
from e2ee.call.roster import Member
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import Held, Rejected
from e2ee.media.protector import FrameProtector
from e2ee.profile.call_profile import JoinPolicy
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

__all__ = ["COMMIT_PAUSE", "Meeting", "Voice"]

COMMIT_PAUSE = 1_000
"""GROUP-23, in milliseconds."""


@dataclass
class Meeting:
    """See the module. Made by ``open``."""

    calls: SimulatedCalls
    host: SimulatedDevice
    call_id: bytes
    link: GroupLink

    @classmethod
    def open(cls, calls: SimulatedCalls, host: SimulatedDevice, **options: Any) -> Meeting:
        """A device opens a group call; by a link unless ``options`` say otherwise."""
        call = host.core.create_group_call(calls.now, **options)
        calls.settle()
        assert call.state is State.IN_CALL
        assert call.link is not None
        return cls(calls, host, call.call_id, call.link)

    @classmethod
    def of(
        cls, calls: SimulatedCalls, host: SimulatedDevice, *guests: SimulatedDevice, **options: Any
    ) -> Meeting:
        """A device opens a group call, and the others come by the link."""
        if options.get("join_policy", JoinPolicy.LINK) is not JoinPolicy.LINK:
            options.setdefault("accounts", tuple({guest.account.public: 0 for guest in guests}))
        meeting = cls.open(calls, host, **options)
        meeting.join(*guests)
        return meeting

    def join(self, *guests: SimulatedDevice) -> None:
        """They ask to come in and are let in, all by one commit if there is room."""
        for guest in guests:
            self.ask(guest)
        self.calls.settle()
        self.calls.advance(COMMIT_PAUSE)
        for guest in guests:
            assert self.at(guest).state is State.IN_CALL, self.at(guest).state

    def ask(self, guest: SimulatedDevice) -> GroupCall:
        """One asks to come in."""
        return guest.core.join_group_call(self.link, self.calls.now)

    def at(self, device: SimulatedDevice) -> GroupCall:
        """The call as a device has it."""
        return device.core.group_calls[self.call_id]

    def is_at(self, device: SimulatedDevice) -> bool:
        """Whether a device is in the call."""
        call = device.core.group_calls.get(self.call_id)
        return call is not None and call.state is State.IN_CALL

    def leaf(self, device: SimulatedDevice) -> int:
        """A device's leaf index, by its own word."""
        return self.at(device).own_leaf

    def member(self, seen_by: SimulatedDevice, device: SimulatedDevice) -> Member:
        """A device as another one sees it."""
        key = device.owner.signing_key.public
        (member,) = (m for m in self.at(seen_by).members if m.certificate.signature_key == key)
        return member

    def names(self, device: SimulatedDevice) -> list[str]:
        """Who is in the call, as a device sees it, by leaf index."""
        return [member.account_id for member in self.at(device).members]

    def agree(self, *devices: SimulatedDevice) -> None:
        """These are in one group, which consists of them, in one epoch; and nobody refused anything."""
        views = {
            (call.epoch, call.call_code, call.members, call.profile)
            for call in map(self.at, devices)
        }
        assert len(views) == 1
        ((_, _, members, _),) = views
        keys = {device.owner.signing_key.public for device in devices}
        assert {member.certificate.signature_key for member in members} == keys
        assert [error for device in devices for error in device.refused] == []

    def pause(self) -> None:
        """Let so much time pass that a commit may follow on another, and be made."""
        self.calls.settle()
        self.calls.advance(COMMIT_PAUSE)


@dataclass
class Voice:
    """A microphone of one member, as the others hear it."""

    meeting: Meeting
    speaker: SimulatedDevice
    protector: FrameProtector = field(init=False)

    def __post_init__(self) -> None:
        call = self.meeting.at(self.speaker)
        self.protector = call.open_stream(Codec.OPUS, Kind.MICROPHONE)

    def say(self, words: bytes) -> bytes:
        """A frame, protected."""
        return self.protector.protect(words)

    def hear(self, listener: SimulatedDevice, protected: bytes) -> OpenedFrame | Rejected | Held:
        """What somebody in the call makes of a frame."""
        stream = self.stream()
        opener = self.meeting.at(listener).opener
        return opener.open(stream, protected, self.meeting.calls.now)

    @staticmethod
    def stream() -> IncomingStream:
        """On which such frames come."""
        return IncomingStream(Codec.OPUS, Kind.MICROPHONE)

    def reaches(self, *listeners: SimulatedDevice) -> bool:
        """Whether all of them hear what is said now."""
        protected = self.say(b"words")
        heard = [self.hear(listener, protected) for listener in listeners]
        return all(isinstance(each, OpenedFrame) and each.data == b"words" for each in heard)
