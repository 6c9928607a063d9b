"""A group call on a platform that lies, and members whose software does what it likes.

    meeting = Meeting.open(trial, "alice", "bob", "carol")        the first one opens it, the others come by its link
    commit = meeting.commit_of(bob, Remove(0))                    a commit that Bob's own software would never make
    meeting.hands_in(bob, commit)                                 at the honest service: taken, or why not
    meeting.shows(commit, alice, carol)                           by a service that shows it as the log's all the same
    voice = Voice(meeting, bob)                                   a stream of Bob's; ``voice.heard_by(alice, frame)``

Who makes such things has the keys of a member: they pass every check that a key can make.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from e2ee.call.epochs import Epochs
from e2ee.call.group.events import Stranded
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.link import GroupLink
from e2ee.call.group.states import State
from e2ee.call.logged import psks_of
from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import Rejected
from e2ee.media.protector import FrameProtector
from e2ee.mls.group import Group
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import ProposalContent
from e2ee.profile.call_profile import JoinPolicy
from e2ee.profile.leaves import committer_policy
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromDevice
from e2ee.signalling.wire import encode
from e2ee.testing.hostile.media_line import CODECS, HELD, WORDS
from e2ee.testing.hostile.platform import HostilePlatform, name_of
from e2ee.testing.hostile.trial import TAKEN, Trial, outcome_of
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedDevice

__all__ = ["COMMIT_PAUSE", "Meeting", "Voice", "key_package_in"]

COMMIT_PAUSE = 1_000
"""GROUP-23, in milliseconds."""


@dataclass
class Meeting:
    """See the module."""

    platform: HostilePlatform
    devices: tuple[SimulatedDevice, ...]
    call_id: bytes
    link: GroupLink

    @classmethod
    def open(cls, trial: Trial, host: str, *guests: str, **options: Any) -> Meeting:
        """A meeting on a platform of its own; ``options`` are those of ``create_group_call``."""
        return cls.on(HostilePlatform(trial, forwarding=True), host, *guests, **options)

    @classmethod
    def on(cls, platform: HostilePlatform, host: str, *guests: str, **options: Any) -> Meeting:
        """A meeting among new devices on this platform."""
        devices = tuple(platform.device(name) for name in (host, *guests))
        if options.get("join_policy", JoinPolicy.LINK) is not JoinPolicy.LINK:
            options.setdefault("accounts", _keys(devices[1:]))
        call = devices[0].core.create_group_call(platform.now, **options)
        platform.settle()
        if call.link is None:
            raise ValueError("nobody can come")
        meeting = cls(platform, devices, call.call_id, call.link)
        meeting.join(*devices[1:])
        platform.advance(COMMIT_PAUSE)
        names = ", ".join(map(name_of, devices))
        platform.trial.note(f"{names} are in a meeting, epoch {call.epoch}")
        return meeting

    def join(self, *guests: SimulatedDevice) -> None:
        """They ask to come in, and time goes by until they are in, if they are let in."""
        for guest in guests:
            guest.core.join_group_call(self.link, self.platform.now)
        self.pause()

    def pause(self) -> None:
        """Let so much time pass that a commit may follow on another, and be made."""
        self.platform.settle()
        self.platform.advance(COMMIT_PAUSE)

    # What there is

    def at(self, device: SimulatedDevice) -> GroupCall:
        """The call as a device has it."""
        return device.core.group_calls[self.call_id]

    def is_at(self, device: SimulatedDevice) -> bool:
        """Whether a device is in the call, by its own word."""
        call = device.core.group_calls.get(self.call_id)
        return call is not None and call.state in {State.IN_CALL, State.STRANDED}

    def epochs(self, device: SimulatedDevice) -> Epochs:
        """What a device has of the group."""
        return self.at(device)._actions.in_group

    def group(self, device: SimulatedDevice) -> Group:
        """Its MLS group, with all keys."""
        return self.epochs(device)._group

    def frame_epoch(self, device: SimulatedDevice) -> FrameEpoch:
        """What its newest epoch gives to all members alike: the key of everybody's frames."""
        sending = self.epochs(device).frame_keys.send
        newest = sending._waiting[-1] if sending._waiting else sending._in_use
        if newest is None:
            raise ValueError("there is no epoch")
        return newest.epoch

    def leaf(self, device: SimulatedDevice) -> int:
        """Its leaf index."""
        return self.at(device).own_leaf

    def others(self, *but: SimulatedDevice) -> list[SimulatedDevice]:
        """All who are in the call but these."""
        return [each for each in self.devices if each not in but and self.is_at(each)]

    def names_at(self, device: SimulatedDevice) -> list[str]:
        """Who is in the call, by a device's list."""
        return sorted(member.account_id for member in self.at(device).members)

    def agree(self, *devices: SimulatedDevice) -> bool:
        """Whether these are in one group."""
        return len({self.at(device).call_code for device in devices}) == 1

    # What a member's own software makes

    def commit_of(
        self,
        device: SimulatedDevice,
        *proposals: ProposalContent,
        authenticated_data: bytes = b"",
        update_path: bool = True,
        links: Iterable[GroupLink] = (),
    ) -> messages.Commit:
        """A commit with these proposals, whatever a call allows."""
        epochs, group = self.epochs(device), self.group(device)
        known = {**epochs._links, **{link.psk_id: link for link in links}}
        pending = group.commit(
            proposals=proposals,
            authenticated_data=authenticated_data,
            psks=psks_of(known, group.cipher_suite.kdf.Nh),
            policy=committer_policy(self.platform.now),
            entropy=self.platform.trial.entropy,
            update_path=update_path,
        )
        welcome = None if pending.welcome is None else pending.welcome.encode()
        return messages.Commit(self.call_id, pending.message.encode(), welcome, None)

    def sealed(self, device: SimulatedDevice, message: CallMessage) -> messages.Send:
        """What a member says, whatever it may say."""
        data = self.group(device).protect(encode(message), entropy=self.platform.trial.entropy)
        return messages.Send(self.call_id, data.encode())

    def hands_in(self, device: SimulatedDevice, request: FromDevice) -> str:
        """A request that a device's software makes, at the honest service: taken, or the reason of the refusal."""
        outcome = TAKEN
        answers = self.platform.service.receive(device.connection_id, request, self.platform.now)
        for connection_id, answer in answers:
            refused = isinstance(answer, messages.Refused)
            if connection_id == device.connection_id and isinstance(answer, messages.Refused):
                outcome = answer.reason
            elif not refused:
                self.platform._pass_on([(connection_id, answer)])
        return outcome

    def shows(self, commit: messages.Commit, *devices: SimulatedDevice) -> None:
        """The service shows a commit as the log's to these."""
        for device in devices:
            self.platform.give(device, messages.Committed(self.call_id, commit.commit))

    def tells(self, send: messages.Send, device: SimulatedDevice) -> str:
        """The service passes on what a member said; gives the outcome."""
        return outcome_of(self.platform.give(device, messages.Sent(self.call_id, send.message)))

    def refuses(self, device: SimulatedDevice, what: str, commit: messages.Commit) -> None:
        """A member is shown a commit that another one signed and that it must not follow (GROUP-20)."""
        epoch, members = self.at(device).epoch, self.names_at(device)
        self.shows(commit, device)
        there = self.is_at(device)
        held = there and (self.at(device).epoch, self.names_at(device)) == (epoch, members)
        reason = self.why_stranded(device) if held else "followed"
        self.platform.trial.tried(f"{name_of(device)} is shown {what}", held=held, outcome=reason)

    def why_stranded(self, device: SimulatedDevice) -> str:
        """Why a device could not follow the log, in a word."""
        told = device.told(Stranded)
        return told[-1].detail.split(":")[0].split()[0] if told else "refused"

    def memory(self, device: SimulatedDevice) -> object:
        """All that a device remembers."""
        return snapshot(device.core)


def _keys(devices: Iterable[SimulatedDevice]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(device.account.public for device in devices))


def key_package_in(request: messages.Join) -> KeyPackage:
    """What somebody asked to join with."""
    body = MLSMessage.decode(request.key_package).body
    if not isinstance(body, KeyPackage):
        raise TypeError("no KeyPackage")
    return body


@dataclass
class Voice:
    """One stream of a member, as others hear it: frames leave its protector, and reach openers as the adversary likes."""

    meeting: Meeting
    speaker: SimulatedDevice
    kind: Kind = Kind.MICROPHONE
    protector: FrameProtector = field(init=False)
    said: int = 0

    def __post_init__(self) -> None:
        call = self.meeting.at(self.speaker)
        self.protector = call.open_stream(CODECS[self.kind], self.kind)

    def frame(self) -> bytes:
        """The next protected frame; no two have the same words."""
        self.said += 1
        return self.protector.protect(WORDS[self.protector.codec] + b" %d" % self.said)

    def heard_by(
        self, listener: SimulatedDevice, frame: bytes, announced: int | None = None
    ) -> str:
        """What somebody makes of a frame that comes as of this kind, and as of the member at leaf ``announced``."""
        return hears(self.meeting, listener, frame, self.kind, announced)


def hears(
    meeting: Meeting,
    listener: SimulatedDevice,
    frame: bytes,
    kind: Kind = Kind.MICROPHONE,
    announced: int | None = None,
) -> str:
    """What a member makes of a frame that comes on a stream of this kind: ``taken``, or why not."""
    stream = IncomingStream(CODECS[kind], kind, announced)
    opener = meeting.at(listener).opener
    outcome = opener.open(stream, frame, meeting.platform.now)
    if isinstance(outcome, OpenedFrame):
        return TAKEN
    return str(outcome.reason) if isinstance(outcome, Rejected) else HELD
