"""A meeting on simulated time: a group call, and the devices in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.link import GroupLink
from e2ee.call.group.states import State
from e2ee.call.roster import Member
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import Held, Rejected
from e2ee.media.protector import FrameProtector
from e2ee.mls import treekem
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.profile.call_profile import JoinPolicy
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

__all__ = ["COMMIT_PAUSE", "Meeting", "Voice", "path_for_none_of"]

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
        self.agree_on_members(*devices)
        assert [error for device in devices for error in device.refused] == []

    def agree_on_members(self, *devices: SimulatedDevice) -> None:
        """The same, whatever was refused."""
        views = {
            (call.epoch, call.call_code, call.members, call.profile)
            for call in map(self.at, devices)
        }
        assert len(views) == 1
        ((_, _, members, _),) = views
        keys = {device.owner.signing_key.public for device in devices}
        assert {member.certificate.signature_key for member in members} == keys

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


@contextmanager
def path_for_none_of(*leaves: int) -> Iterator[None]:
    """Whoever commits meanwhile seals path secrets for these members with the keys of somebody else."""
    genuine = treekem._public_key
    wrong = {2 * leaf for leaf in leaves}

    def public_key(tree: RatchetTree, node: int) -> bytes:
        other = next(each for each in range(0, 2 * tree.leaf_count, 2) if each not in wrong)
        return genuine(tree, other if node in wrong else node)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(treekem, "_public_key", public_key)
        yield
