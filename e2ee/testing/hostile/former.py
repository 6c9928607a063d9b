"""Attacks by a device that was in the group: it rang, another one answered, and it keeps every key that it ever had."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from e2ee.call import epochs as epochs_module
from e2ee.call import machine
from e2ee.call.actions import ACTIONS, CallActions
from e2ee.call.epochs import Epochs
from e2ee.call.mls_messages import application_message, body
from e2ee.call.policy import Said
from e2ee.call.states import Action
from e2ee.crypto.secret import Secret
from e2ee.errors import RemoteProtocolError
from e2ee.media import receive_epochs
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Rejected
from e2ee.media.receive_epochs import ReceiveEpochs
from e2ee.mls.group import ApplicationMessage, Group, StagedCommit
from e2ee.mls.joining import join
from e2ee.mls.message import MLSMessage
from e2ee.mls.welcome import Welcome
from e2ee.profile import legal_commits
from e2ee.profile.call_profile import CallKind
from e2ee.profile.leaves import receiver_policy
from e2ee.profile.legal_commits import LegalCommit
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.mls import export_base_key
from e2ee.signalling import messages
from e2ee.signalling.messages import CALL, CallMessage, FromDevice, FromService
from e2ee.signalling.wire import decode, encode
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, no, nothing, replaced
from e2ee.testing.hostile.foreign_frames import frames_of
from e2ee.testing.hostile.media_line import CODECS
from e2ee.testing.hostile.platform import HostilePlatform
from e2ee.testing.hostile.trial import TAKEN, Trial, outcome_of
from e2ee.testing.simulated_calls import SimulatedDevice

SFRAME = cipher_suite(0x0004)


@dataclass
class Hoarder:
    """Bob's tablet: it rang, the phone answered. Its own software keeps the group of epoch 1, whole, and hears everything."""

    trial: Trial
    platform: HostilePlatform = field(init=False)
    alice: SimulatedDevice = field(init=False)
    phone: SimulatedDevice = field(init=False)
    tablet: SimulatedDevice = field(init=False)
    group: Group = field(init=False)
    ringing_key: Secret = field(init=False)
    """``base_key`` of epoch 1, which honest devices never export."""
    heard: list[bytes] = field(default_factory=list)
    """All application messages that were sent after it was removed."""
    log: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        platform = self.platform = HostilePlatform(self.trial)
        self.alice, self.phone = platform.device("alice"), platform.device("bob")
        self.tablet = platform.device("bob", device_id=2)
        platform.down, platform.up = self._keep, self._hear
        placed, _ = platform.talk(self.alice, self.phone)
        self.trial.note(
            f"the tablet is out of the group: leaves {[m.leaf_index for m in placed.members]}"
        )

    def _keep(self, device: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        if device is self.tablet and isinstance(message, messages.Invited):
            welcome = body(Welcome, message.welcome)
            bundle = device.core._key_packages.find(welcome)
            self.group = join(welcome, bundle, policy=receiver_policy(self.platform.now))
            self.ringing_key = export_base_key(self.group.export, SFRAME)
            self.sealed(
                messages.Ringing()
            )  # its other half, which is honest, says that with this key
        if device is self.tablet and isinstance(message, messages.Committed):
            self._follow(message.commit)
        return (message,)

    def _hear(self, _: SimulatedDevice, message: FromDevice) -> Iterable[FromDevice]:
        if isinstance(message, messages.Send):
            self.heard.append(message.message)
        return (message,)

    def _follow(self, commit: bytes) -> None:
        policy = receiver_policy(self.platform.now)
        staged = self.group.receive(MLSMessage.decode(commit), policy=policy)
        if isinstance(staged, StagedCommit) and not staged.removes_own_leaf:
            self.group = self.group.merge(staged)

    def sealed(self, message: CallMessage) -> messages.Sent:
        """What it says, with the keys that it has."""
        data = self.group.protect(encode(message), entropy=self.trial.entropy).encode()
        return messages.Sent(self.group.group_id, data)


def _send_answer_to_all(actions: CallActions, _: None, now: int) -> None:
    """An Answer that removes nobody."""
    actions._commit(LegalCommit.ANSWER, [], now)


@attack(
    by=Adversary.FORMER,
    counters=("KEYS-11", "KEYS-12", "CALL-8", "THREAT-4"),
    without=all_of(
        replaced(machine, ACTIONS={**ACTIONS, Action.SEND_ANSWER: _send_answer_to_all}),
        replaced(
            legal_commits,
            _LEGAL=tuple(
                legal_commits._Row(row.commit, row.accounts, nothing)
                for row in legal_commits._LEGAL
            ),
        ),
    ),
)
def former_device_listens(trial: Trial) -> None:
    """Is given everything that is said after another device answered, and tries its keys on it.

    Messages, the log and frames.
    """
    hoarder = Hoarder(trial)
    platform, policy = hoarder.platform, receiver_policy(hoarder.platform.now)
    hoarder.alice.call.chat.say("only for Bob's phone")
    platform.settle()
    for number, data in enumerate(hoarder.heard):
        try:
            opened = hoarder.group.receive(MLSMessage.decode(data), policy=policy)
        except RemoteProtocolError as error:
            trial.tried(f"message {number}", held=True, outcome=error.reason)
        else:
            # what was said while it rang was for it, too
            read = isinstance(opened, ApplicationMessage) and application_message(data).epoch > 1
            trial.tried(f"message {number}", held=not read, outcome="of its own epoch")
    platform.advance(1_000)
    protector = hoarder.alice.call.open_stream(Codec.OPUS, Kind.MICROPHONE)
    keys = FrameKeys()
    leaves = frozenset(range(3))
    keys.install(FrameEpoch(2, SFRAME, hoarder.ringing_key, 2, leaves, leaves), platform.now)
    stream = IncomingStream(Codec.OPUS, Kind.MICROPHONE)
    for number in range(20):
        frame = protector.protect(bytes([0xFC]) + b"only for Bob's phone")
        outcome = FrameOpener(keys.receive).open(stream, frame, platform.now)
        trial.tried(
            f"frame {number}",
            held=isinstance(outcome, Rejected),
            outcome=getattr(outcome, "reason", TAKEN),
        )


def _open_of_anybody(epochs: Epochs, data: bytes, now: int) -> Said:
    """``Epochs.open`` without a look at who is still a member."""
    sealed = application_message(data)
    opened = epochs._group_of(sealed.epoch, now).receive(
        MLSMessage.of(sealed), policy=receiver_policy(now)
    )
    if not isinstance(opened, ApplicationMessage):
        raise TypeError("no application message")
    return Said(opened.sender, sealed.epoch, opened.generation, decode(CALL, opened.data))


@attack(
    by=Adversary.FORMER,
    counters=("CALL-12", "CALL-15", "KEYS-11"),
    without=replaced(Epochs, open=_open_of_anybody),
)
def former_device_talks(trial: Trial) -> None:
    """Goes on saying things with the keys of the epoch that it was in.

    In the ten seconds in which they are still known: that it declines, that the answer failed, that it rings.
    """
    for message in (
        messages.Hangup("answer-failed"),
        messages.Hangup("protocol-error"),
        messages.Hangup("declined", "not now"),
        messages.Ringing(),
        messages.Busy(),
        messages.Chat(1, "it is me"),
        messages.Accepted("another description"),
    ):
        hoarder = Hoarder(trial)
        for device in (hoarder.alice, hoarder.phone):
            state = device.call.state
            outcome = outcome_of(hoarder.platform.give(device, hoarder.sealed(message)))
            held = outcome != TAKEN and bool(device.core.calls) and device.call.state is state
            trial.tried(
                f"{message.name} to {device.account.account_id}", held=held, outcome=outcome
            )


@attack(
    by=Adversary.FORMER,
    counters=("CALL-6", "FKEY-11"),
    without=replaced(
        epochs_module, _MEDIA_FROM={**epochs_module._MEDIA_FROM, CallKind.ONE_TO_ONE: 1}
    ),
)
def media_under_keys_of_ringing(trial: Trial) -> None:
    """Sends sound under the keys of the epoch in which devices rang, as each of the leaves that there were."""
    hoarder = Hoarder(trial)
    for device in (hoarder.alice, hoarder.phone):
        for leaf in range(3):
            stream = IncomingStream(CODECS[Kind.MICROPHONE], Kind.MICROPHONE)
            frame = next(frames_of(SFRAME, hoarder.ringing_key, leaf, epoch=1))
            outcome = device.call.opener.open(stream, frame, hoarder.platform.now)
            opened = isinstance(outcome, OpenedFrame)
            trial.tried(
                f"leaf {leaf}'s", held=not opened, outcome=getattr(outcome, "reason", TAKEN)
            )


@attack(
    by=Adversary.FORMER,
    counters=("FKEY-12", "FKEY-13", "FKEY-15", "FKEY-14", "THREAT-4"),
    without=all_of(
        replaced(receive_epochs._Slot, end_by=nothing, end_for=no),
        replaced(ReceiveEpochs, _was_removed=no),
    ),
)
def removed_member_sends(trial: Trial) -> None:
    """Was removed from a group of three, and goes on sending frames, as itself and as the others.

    It still holds everybody's keys of the epoch before: to the end of all deadlines and long after.
    """
    keys = [Secret(trial.entropy.random(SFRAME.aead.Nk)) for _ in range(2)]
    receiver, removed, other = 1, 2, 0
    everybody = frozenset({receiver, removed, other})
    store = FrameKeys()
    store.install(FrameEpoch(5, SFRAME, keys[0], receiver, everybody, everybody), 0)
    rest = everybody - {removed}
    store.install(
        FrameEpoch(6, SFRAME, keys[1], receiver, rest, rest, removed=frozenset({removed})), 0
    )
    opener, stream = FrameOpener(store.receive), IncomingStream(Codec.OPUS, Kind.MICROPHONE)
    as_itself = frames_of(SFRAME, keys[0], removed, 5)
    as_other = frames_of(SFRAME, keys[0], other, 5)
    for now in (0, 100, 1_000, 1_999, 2_000, 3_000, 10_000, 60_000, 3_600_000):
        store.handle_timer(now)
        outcome = opener.open(stream, next(as_itself), now)
        held = isinstance(outcome, Rejected)
        trial.tried(
            f"as itself after {now} ms", held=held, outcome=getattr(outcome, "reason", TAKEN)
        )
        outcome = opener.open(stream, next(as_other), now)
        in_time = now < 2_000  # FKEY-12 says so openly
        held = in_time or isinstance(outcome, Rejected)
        reason = (
            "opened, before the deadline" if isinstance(outcome, OpenedFrame) and in_time else None
        )
        trial.tried(
            f"as the other after {now} ms",
            held=held,
            outcome=reason or getattr(outcome, "reason", TAKEN),
        )
