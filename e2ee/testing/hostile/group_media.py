"""Attacks on the media of a group call: by whoever forwards them, by members, and by who was a member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from e2ee.call import epochs as epochs_module
from e2ee.crypto.secret import Secret
from e2ee.media import limits, receive_epochs
from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.media.receive_epochs import ReceiveEpochs
from e2ee.mls.content_authentication import authenticate
from e2ee.mls.framing import FramedContent, Sender, WireFormat
from e2ee.mls.message import MLSMessage
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.header import decode_header
from e2ee.sframe.mls import EPOCH_BITS, KeyId
from e2ee.sframe.replay import ReplayWindow
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.signalling.wire import encode
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, always, no, nothing, replaced, yes
from e2ee.testing.hostile.foreign_frames import frames_of
from e2ee.testing.hostile.group_log import commits
from e2ee.testing.hostile.lenient_media import ignores_the_stream
from e2ee.testing.hostile.media_line import CODECS
from e2ee.testing.hostile.meeting import COMMIT_PAUSE, Meeting, Voice, hears
from e2ee.testing.hostile.platform import HostilePlatform, name_of
from e2ee.testing.hostile.trial import TAKEN, Trial
from e2ee.testing.simulated_calls import SimulatedDevice

SFRAME = cipher_suite(0x0004)
PICTURES = (Kind.CAMERA, Kind.SCREEN_VIDEO)


# ------------------------------------------------------------------------------------------- what the forwarding unit does


@attack(
    by=Adversary.NETWORK,
    counters=("GROUP-18", "FRAME-5", "FRAME-6", "SFU-2"),
    without=replaced(FrameOpener, open=ignores_the_stream),
)
def present_streams_as_others(trial: Trial) -> None:
    """Presents every stream of a meeting as every other one: cameras as screens, one member as another.

    By exchanging what the m-sections carry, and by exchanging what it says of them.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol")
    listener = meeting.devices[2]
    voices = [
        Voice(meeting, speaker, kind)
        for speaker in meeting.devices[:2]
        for kind in (*PICTURES, Kind.MICROPHONE)
    ]
    for voice in voices:
        for shown in voices:
            if CODECS[shown.kind] is not CODECS[voice.kind]:
                continue
            as_itself = shown is voice
            leaf = meeting.leaf(shown.speaker)
            outcome = hears(meeting, listener, voice.frame(), shown.kind, leaf)
            what = f"{_of(voice)} as {_of(shown)}"
            if as_itself:
                trial.claim(f"{_of(voice)} as itself is opened", outcome == TAKEN)
            else:
                trial.tried(what, held=outcome != TAKEN, outcome=outcome)


def _of(voice: Voice) -> str:
    return f"{name_of(voice.speaker)}'s {voice.kind.name.lower()}"


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-9", "FRAME-10", "FKEY-10", "FKEY-13", "SFU-1"),
    without=replaced(ReplayWindow, is_new=yes),
)
def shuffle_the_media_of_a_meeting(trial: Trial) -> None:
    """Repeats, keeps, reorders and drops the frames of a meeting at random, while members' keys change."""
    meeting = Meeting.open(trial, "alice", "bob", "carol")
    platform, listener = meeting.platform, meeting.devices[2]
    voices = [Voice(meeting, speaker) for speaker in meeting.devices[:2]]
    kept: list[tuple[Voice, bytes]] = []
    opened: set[bytes] = set()
    for turn in range(150):
        if turn in {50, 100}:
            meeting.hands_in(meeting.devices[0], commits(meeting, meeting.devices[0]))
            platform.settle()
        platform.advance(20)
        kept.extend((voice, voice.frame()) for voice in voices)
        for _ in range(3):
            voice, frame = kept[int.from_bytes(trial.entropy.random(2), "big") % len(kept)]
            outcome = voice.heard_by(listener, frame, meeting.leaf(voice.speaker))
            twice = outcome == TAKEN and frame in opened
            trial.tried("a frame again", held=not twice, outcome="twice" if twice else outcome)
            opened |= {frame} if outcome == TAKEN else set()
    trial.claim("frames were opened", len(opened) > 100)
    for voice in voices:
        heard = voice.heard_by(listener, voice.frame())
        trial.claim(f"{_of(voice)} is still heard", heard == TAKEN)


@attack(
    by=Adversary.NETWORK,
    counters=("FKEY-15", "FKEY-12", "FRAME-3"),
    without=all_of(
        replaced(ReceiveEpochs, _was_removed=no),
        replaced(receive_epochs._Slot, end_by=nothing, end_for=no),
    ),
)
def keep_frames_of_who_was_removed(trial: Trial) -> None:
    """Keeps frames of a member, and delivers them when it was removed, and when somebody else has its place."""
    meeting = Meeting.open(trial, "alice", "bob", "mallory")
    platform = meeting.platform
    alice, bob, mallory = meeting.devices
    voice, leaf = Voice(meeting, mallory), meeting.leaf(mallory)
    heard = voice.heard_by(bob, voice.frame())
    trial.claim("while Mallory is there it is heard", heard == TAKEN)
    kept = [voice.frame() for _ in range(20)]
    meeting.at(alice).remove(leaf, platform.now)
    platform.settle()
    trial.claim("Mallory is out", "mallory" not in meeting.names_at(bob))
    for after in (0, 100, 1_000):
        platform.advance(after)
        outcome = voice_of(meeting, bob, kept.pop(), leaf)
        trial.tried(
            f"{platform.now} ms: of who was removed", held=outcome != TAKEN, outcome=outcome
        )
    dave = platform.device("dave")
    meeting.join(dave)
    trial.claim("Dave has the place of Mallory", meeting.leaf(dave) == leaf)
    for after in (0, 100, 1_000, 10_000):
        platform.advance(after)
        for announced in (leaf, None):
            outcome = voice_of(meeting, bob, kept.pop(), announced)
            trial.tried("as the newcomer's", held=outcome != TAKEN, outcome=outcome)


def voice_of(
    meeting: Meeting, listener: SimulatedDevice, frame: bytes, announced: int | None
) -> str:
    """What a member makes of sound that is said to be of the member at this leaf."""
    return hears(meeting, listener, frame, Kind.MICROPHONE, announced)


# -------------------------------------------------------------------------------------------------- who was a member


@dataclass
class Hoard:
    """All that a device has of an epoch that it was in: it opens, and makes, whatever that key can."""

    epoch: FrameEpoch
    opened: list[int] = field(default_factory=list)
    """When it opened something that was sent then, in Unix milliseconds."""

    def opens(self, frame: bytes, sent_at: int) -> bool:
        """Whether a frame opens with the keys of that epoch, whoever sent it."""
        epoch = self.epoch
        KID, _, _ = decode_header(frame, 0)
        sender = KeyId.decode(KID).leaf_index
        own = next(leaf for leaf in sorted(epoch.roster) if leaf != sender)
        everybody = epoch.roster | {sender}
        keys = FrameKeys()
        keys.install(
            FrameEpoch(epoch.number, epoch.suite, epoch.base_key, own, everybody, everybody), 0
        )
        stream = IncomingStream(CODECS[Kind.MICROPHONE], Kind.MICROPHONE)
        opened = isinstance(FrameOpener(keys.receive).open(stream, frame, 0), OpenedFrame)
        if opened:
            self.opened.append(sent_at)
        return opened


@attack(
    by=Adversary.FORMER,
    counters=("FKEY-9", "FKEY-7", "CALL-25", "THREAT-4"),
    without=replaced(limits, SEND_DEADLINE_AFTER_REMOVAL=1_000),
)
def listen_after_ones_removal(trial: Trial) -> None:
    """Was removed, is given every frame that is sent afterwards, and tries the keys that it has on it.

    The service keeps from each what the others say, so that nobody knows who has gone on. Nothing that was sent after the time
    that members are shown (`removed_can_open_until`) opens.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol", "mallory")
    platform = meeting.platform
    alice, bob, carol, mallory = meeting.devices
    hoard = Hoard(meeting.frame_epoch(mallory))
    voices = [Voice(meeting, device) for device in (alice, bob, carol)]
    opens = all(hoard.opens(voice.frame(), platform.now) for voice in voices)
    trial.claim("as long as it is there it opens all", opens)
    meeting.at(alice).remove(meeting.leaf(mallory), platform.now)
    platform.down = lambda device, message: (
        () if isinstance(message, messages.Sent) and device is not alice else (message,)
    )
    removed_at = platform.now
    platform.settle()
    for _ in range(60):
        platform.advance(25)
        for voice in voices:
            hoard.opens(voice.frame(), platform.now)
    until = meeting.at(alice).removed_can_open_until
    trial.claim("a time is shown", until is not None)
    last, shown = max(hoard.opened) - removed_at, (until or 0) - removed_at
    trial.note(f"it opened until {last} ms after its removal; shown is {shown} ms")
    for opened_at in hoard.opened:
        late = until is None or opened_at > until
        outcome = "opened after that" if late else "opened before"
        trial.tried(f"a frame of {opened_at - removed_at} ms", held=not late, outcome=outcome)


@attack(
    by=Adversary.FORMER,
    counters=("FKEY-12", "FKEY-13", "FKEY-15", "CALL-12", "THREAT-4"),
    without=all_of(
        replaced(receive_epochs._Slot, end_by=nothing, end_for=no),
        replaced(ReceiveEpochs, _was_removed=no),
    ),
)
def speak_after_ones_removal(trial: Trial) -> None:
    """Was removed, and goes on: sends frames as itself and as the others, and says things.

    It still holds everybody's keys of the epoch before; for 2 s members cannot tell its frames from late ones.
    """
    meeting = Meeting.open(trial, "alice", "bob", "mallory")
    platform = meeting.platform
    alice, bob, mallory = meeting.devices
    epoch, group = meeting.frame_epoch(mallory), meeting.group(mallory)
    leaf, bobs = meeting.leaf(mallory), meeting.leaf(bob)
    as_itself = frames_of(SFRAME, epoch.base_key, leaf, epoch.number)
    as_bob = frames_of(SFRAME, epoch.base_key, bobs, epoch.number)
    said = [
        messages.Send(
            meeting.call_id, group.protect(encode(message), entropy=trial.entropy).encode()
        )
        for message in _what_a_member_says(meeting, bobs)
    ]
    meeting.at(alice).remove(leaf, platform.now)
    platform.settle()
    removed_at = platform.now
    for after in (0, 100, 900, 1_001, 1_999, 2_000, 5_000, 60_000):
        platform.advance(removed_at + after - platform.now)
        outcome = hears(meeting, alice, next(as_itself))
        trial.tried(f"as itself after {after} ms", held=outcome != TAKEN, outcome=outcome)
        outcome = hears(meeting, alice, next(as_bob))
        in_time = (
            after < 2_000
        )  # FKEY-12 says so openly, FKEY-13 makes it less where the other is heard
        held = in_time or outcome != TAKEN
        word = "opened, before the deadline" if outcome == TAKEN and in_time else outcome
        trial.tried(f"as Bob after {after} ms", held=held, outcome=word)
        if said:
            message = said.pop()
            answer = meeting.tells(message, alice)
            trial.tried("says something", held=answer != TAKEN, outcome=answer)
    trial.claim("nobody has heard of it", not meeting.at(alice).hands)


def _what_a_member_says(meeting: Meeting, leaf: int) -> Iterable[CallMessage]:
    yield messages.Hand(raised=True)
    yield messages.Streams((0,), (0,), ("opus",), ("0",))
    yield messages.Chat(1, "it is me")
    yield messages.Removing(leaf)
    yield messages.Left()
    yield messages.Alive(meeting.at(meeting.devices[0]).epoch, meeting.platform.now)


# ------------------------------------------------------------------------------------------------------ who is a member


_ONE_KEY = Secret(bytes(range(16)))


@attack(
    by=Adversary.MEMBER,
    counters=("THREAT-7", "FKEY-1", "FKEY-2", "FKEY-15"),
    without=all_of(
        replaced(epochs_module, export_base_key=always(_ONE_KEY)),
        replaced(ReceiveEpochs, _was_removed=no),
    ),
)
def speak_as_another_member(trial: Trial) -> None:
    """Makes frames in the name of another member, with the keys that all members have.

    In its call and epoch that is possible. THREAT-7 says so, and how far it goes: not in another call, not in an epoch that it was not in, not as who was removed,
    and not in messages, which are signed. Signed lists are to end the rest.
    """
    platform = HostilePlatform(trial, forwarding=True)
    meeting = Meeting.on(platform, "alice", "bob", "carol", "mallory")
    alice, bob, carol, mallory = meeting.devices
    leaf = meeting.leaf(bob)
    epoch = meeting.frame_epoch(mallory)
    forged = frames_of(SFRAME, epoch.base_key, leaf, epoch.number)
    heard = hears(meeting, alice, next(forged), announced=leaf)
    trial.claim("in this call and epoch a frame as Bob is opened", heard == TAKEN)
    elsewhere = alice.core.create_group_call(platform.now)
    platform.settle()
    other = Meeting(platform, (alice, bob), elsewhere.call_id, elsewhere.link or meeting.link)
    other.join(bob)
    _is_not_bob(trial, other, alice, "in another call", epoch, other.leaf(bob))
    trial.tried(
        "says something as Bob",
        held=(answer := meeting.tells(_as(meeting, mallory, leaf), alice)) != TAKEN,
        outcome=answer,
    )
    removed = meeting.leaf(carol)
    meeting.at(alice).remove(removed, platform.now)
    platform.settle()
    _is_not_bob(trial, meeting, alice, "as who was removed", epoch, removed)
    new = meeting.frame_epoch(mallory)
    _is_not_bob(trial, meeting, alice, "as who was removed, in the new epoch", new, removed)
    meeting.at(alice).remove(meeting.leaf(mallory), platform.now)
    platform.settle()
    platform.advance(2_000)
    _is_not_bob(trial, meeting, alice, "when it is in the call no more", new, leaf)
    _is_not_bob(trial, meeting, alice, "with a key of its last epoch", new, leaf, ahead=1)


def _is_not_bob(
    trial: Trial,
    meeting: Meeting,
    listener: SimulatedDevice,
    what: str,
    epoch: FrameEpoch,
    leaf: int,
    ahead: int = 0,
) -> None:
    """Frames under this epoch's key, named as of the listener's epoch if ``ahead``, do not open there."""
    number = meeting.at(listener).epoch if ahead else epoch.number
    for named in {number, meeting.at(listener).epoch}:
        frames = frames_of(SFRAME, epoch.base_key, leaf, named, from_counter=500)
        outcome = hears(meeting, listener, next(frames), announced=leaf)
        trial.tried(f"{what}, epoch {named}", held=outcome != TAKEN, outcome=outcome)


def _as(meeting: Meeting, mallory: SimulatedDevice, leaf: int) -> messages.Send:
    """A text in the name of another leaf: it has that leaf's message keys, and not its signature key."""
    group, entropy = meeting.group(mallory), meeting.platform.trial.entropy
    context = group._public.context
    text = encode(messages.Chat(1, "I am Bob"))
    content = FramedContent.of(context, Sender.member(leaf), text, b"")
    private = mallory.owner.signing_key.private
    wire_format = WireFormat.PRIVATE_MESSAGE
    signed = authenticate(group.cipher_suite, context, wire_format, content, private)
    sealed = group._protection._seal(signed, entropy, 0)
    return messages.Send(meeting.call_id, MLSMessage.of(sealed).encode())


@attack(
    by=Adversary.MEMBER,
    counters=("FKEY-1", "FRAME-8", "KEYS-16", "THREAT-5"),
    without=replaced(epochs_module, export_base_key=always(_ONE_KEY)),
)
def open_what_was_before_ones_time(trial: Trial) -> None:
    """Joins a meeting, and tries its keys on all that the forwarding unit has kept of it.

    As they are, and with every name that the frames could have.
    """
    meeting = Meeting.open(trial, "alice", "bob")
    platform = meeting.platform
    voice = Voice(meeting, meeting.devices[0])
    kept = [voice.frame() for _ in range(20)]
    dave = platform.device("dave")
    meeting.join(dave)
    platform.advance(COMMIT_PAUSE)
    now_heard = voice.heard_by(dave, voice.frame())
    trial.claim("what is said now Dave hears", now_heard == TAKEN)
    outcomes = [voice.heard_by(dave, frame) for frame in kept[:4]]
    for outcome in outcomes:
        trial.tried("a frame as it is", held=outcome != TAKEN, outcome=outcome)
    hoard = Hoard(meeting.frame_epoch(dave))
    for frame in kept[4:]:
        for number, epoch in enumerate(_epochs_named(hoard.epoch)):
            hoard.epoch = epoch
            opened = hoard.opens(frame, 0)
            outcome = TAKEN if opened else "not opened"
            trial.tried(f"as of epoch {number}", held=not opened, outcome=outcome)


def _epochs_named(epoch: FrameEpoch) -> Iterator[FrameEpoch]:
    """One key, under each number that the low bits can tell apart."""
    for number in range(1 << EPOCH_BITS):
        yield FrameEpoch(
            number, epoch.suite, epoch.base_key, epoch.own_leaf, epoch.roster, epoch.speakers
        )
