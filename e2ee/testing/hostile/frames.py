"""Attacks on frames by whoever carries them: bytes that no member protected, and protected ones out of their place."""

from __future__ import annotations

from collections.abc import Iterator

from e2ee.media import limits, opener
from e2ee.media.encoded_frame import Kind
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.sframe.header import decode_header, encode_header
from e2ee.sframe.replay import ReplayWindow
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import replaced, yes
from e2ee.testing.hostile.lenient_media import accepts_anything, ignores_the_stream, passes_through
from e2ee.testing.hostile.media_line import CODECS, Line, talk
from e2ee.testing.hostile.trial import TAKEN, Trial

TAG = 16


def _split(line: Line, frame: bytes) -> tuple[bytes, bytes, bytes]:
    """Clear bytes, SFrame header, and the rest."""
    start = line.stream.clear_length[frame[0]]
    _, _, end = decode_header(frame, start)
    return frame[:start], frame[start:end], frame[end:]


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-3", "FRAME-10", "FRAME-11", "FKEY-17", "THREAT-1"),
    without=replaced(opener, decrypt=accepts_anything),
)
def flip_every_bit(trial: Trial) -> None:
    """Flips each bit of a protected frame, one at a time.

    Of a frame of sound and of a picture: header, clear bytes, ciphertext and tag.
    """
    scene = talk(trial)
    for kind in (Kind.MICROPHONE, Kind.CAMERA):
        line = scene.line(kind)
        genuine = line.frame()
        before = line.memory()
        for bit in range(8 * len(genuine)):
            changed = bytearray(genuine)
            changed[bit // 8] ^= 1 << bit % 8
            outcome = line.deliver(bytes(changed))
            # a KID whose epoch may yet come lets a frame wait; it is refused when it does not come
            trial.tried(f"{kind.name}, bit {bit}", held=outcome != TAKEN, outcome=outcome)
        scene.calls.now += 1_000
        late = line.opener.handle_timer(scene.calls.now)
        trial.note(f"{len(late)} frames that named an epoch to come waited a second, in vain")
        trial.claim(f"nothing is remembered of {kind.name} forgeries", line.memory() == before)
        trial.claim("the unchanged frame is opened", line.deliver(genuine) == TAKEN)


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-3", "FRAME-11"),
    without=replaced(opener, decrypt=accepts_anything),
)
def cut_and_lengthen_frames(trial: Trial) -> None:
    """Delivers each beginning of a frame, its end, and the frame with something behind it."""
    scene = talk(trial)
    line = scene.line(Kind.CAMERA)
    genuine = line.frame()
    for length in range(len(genuine)):
        scene.forged(line, f"the first {length} bytes", genuine[:length])
    for added in (b"\0", b"\x80", bytes(TAG), genuine):
        scene.forged(line, f"{len(added)} bytes behind it", genuine + added)
    trial.claim("the whole frame is opened", line.deliver(genuine) == TAKEN)


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-9", "FRAME-10"),
    without=replaced(ReplayWindow, is_new=yes),
)
def replay_frames(trial: Trial) -> None:
    """Delivers frames a second time.

    At once, from within the window, from before it, and after the keys have changed.
    """
    scene = talk(trial)
    for kind in (Kind.MICROPHONE, Kind.CAMERA):
        line = scene.line(kind)
        frames = [line.frame() for _ in range(1_100)]
        for frame in frames:
            line.deliver(frame)
            outcome = line.deliver(frame)
            trial.tried(f"{kind.name}, at once", held=outcome != TAKEN, outcome=outcome)
        before = line.memory()
        for frame in frames:
            outcome = line.deliver(frame)
            trial.tried(f"{kind.name}, later", held=outcome != TAKEN, outcome=outcome)
        trial.claim("replays change nothing", line.memory() == before)
        scene.calls.advance(600_000)
        trial.note(f"the keys change, epoch {scene.bob.epoch}")
        for frame in frames[-3:]:
            scene.forged(line, f"{kind.name}, after the keys have changed", frame)
        scene.still_heard(line)


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-9", "FRAME-10", "FKEY-17"),
    without=replaced(opener, decrypt=accepts_anything),
)
def counters_far_ahead(trial: Trial) -> None:
    """Forges frames with high counters, so that the window might move and the genuine ones seem old."""
    scene = talk(trial)
    line = scene.line()
    clear, _, rest = _split(line, line.frame())
    (key,) = line.opener._epochs.keys
    for power in range(3, 64):
        forged = clear + encode_header(key.KID, 1 << power) + rest
        scene.forged(line, f"counter 2^{power}", forged)
    scene.still_heard(line)


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-12", "FRAME-11", "FRAME-1"),
    without=replaced(FrameOpener, open=passes_through),
)
def strip_the_header(trial: Trial) -> None:
    """Takes the SFrame header away, or the tag.

    Or everything but one of the two, as a middlebox would that removes what it does not know.
    """
    scene = talk(trial)
    for kind in (Kind.MICROPHONE, Kind.CAMERA):
        line = scene.line(kind)
        clear, sframe_header, rest = _split(line, line.frame())
        stripped = {
            "no header": clear + rest,
            "no header, no tag": clear + rest[:-TAG],
            "no tag": clear + sframe_header + rest[:-TAG],
            "header only": clear + sframe_header,
            "header and tag": clear + sframe_header + rest[-TAG:],
            "clear bytes only": clear,
            "nothing": b"",
        }
        for what, data in stripped.items():
            scene.forged(line, f"{kind.name}, {what}", data)
        scene.still_heard(line)


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-12", "FRAME-1", "FRAME-11"),
    without=replaced(FrameOpener, open=passes_through),
)
def plaintext_frames(trial: Trial) -> None:
    """Sends frames that nobody protected.

    Opus and VP8 as encoders make them, and with the marks of other systems.
    """
    scene = talk(trial)
    for kind in (Kind.MICROPHONE, Kind.CAMERA):
        line = scene.line(kind)
        for what, data in _in_the_clear(kind):
            scene.forged(line, f"{kind.name}, {what}", data)
        scene.still_heard(line)


def _in_the_clear(kind: Kind) -> Iterator[tuple[str, bytes]]:
    """Frames without protection, by what they are."""
    sound_of = {size: bytes([0xFC]) + bytes(range(size)) for size in (1, 2, 20, 80, 200)}
    picture = bytes.fromhex("501000 9d012a 4001 f000") + bytes(range(200))
    if kind is Kind.CAMERA:
        yield from ((f"the first {n} bytes of a key frame", picture[:n]) for n in (10, 20, 60, 210))
        yield "a delta frame", b"\x31" + picture[10:]
    else:
        yield from ((f"{size} bytes of Opus", data) for size, data in sound_of.items())
    yield "with a trailer of 0xFAFA", picture + bytes(8) + b"\x0c\xfa\xfa"


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-12", "FRAME-11"),
    without=replaced(FrameOpener, open=passes_through),
)
def silence_in_the_clear(trial: Trial) -> None:
    """Sends the silence that other systems let pass unprotected, so that somebody seems to say nothing."""
    scene = talk(trial)
    line = scene.line()
    frames = {
        "Opus, silence of 20 ms": "f8fffe",
        "Opus, DTX": "f8",
        "Opus, DTX of a hybrid mode": "78",
        "Opus, discontinued": "fcfffe",
        "one zero": "00",
    }
    for what, data in frames.items():
        scene.forged(line, what, bytes.fromhex(data))
    scene.still_heard(line)


@attack(
    by=Adversary.NETWORK,
    counters=("FKEY-17", "FRAME-10", "FRAME-13"),
    without=replaced(opener, decrypt=accepts_anything),
)
def junk_by_the_thousand(trial: Trial) -> None:
    """Sends thousands of junk frames, then lets a genuine one pass.

    Most of them carry the name of a genuine key.
    """
    scene = talk(trial)
    line = scene.line()
    (key,) = line.opener._epochs.keys
    for number in range(5_000):
        junk = trial.entropy.random(60)
        data = encode_header(key.KID, number) + junk if number % 5 else junk
        outcome = line.deliver(data)
        trial.tried(f"junk {number}", held=outcome != TAKEN, outcome=outcome)
    trial.claim("no more than 64 frames wait", len(line.opener._held) <= 64)
    trial.claim("no key was kept for a forged KID", len(list(line.opener._epochs.keys)) == 1)
    scene.still_heard(line)


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-13",),
    without=replaced(limits, HELD_FRAMES_OF_A_STREAM=1 << 30, HELD_BYTES_OF_A_STREAM=1 << 30),
)
def frames_of_epochs_to_come(trial: Trial) -> None:
    """Sends frames of epochs that may come soon, which a receiver lets wait, to fill its memory."""
    scene = talk(trial)
    line = scene.line()
    (key,) = line.opener._epochs.keys
    most = 0
    for number in range(2_000):
        ahead = 1 + number % 4
        KID = key.KID & ~0xF | (key.epoch + ahead) % 16
        outcome = line.deliver(encode_header(KID, number) + bytes(1_000))
        trial.tried(f"frame {number}", held=outcome != TAKEN, outcome=outcome)
        most = max(most, len(line.opener._held))
    trial.claim("at most 64 frames wait", most <= 64)
    scene.still_heard(line)
    scene.calls.now += 1_000
    line.opener.handle_timer(scene.calls.now)
    trial.claim("after a second none waits", len(line.opener._held) == 0)


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-5", "FRAME-6"),
    without=replaced(FrameOpener, open=ignores_the_stream),
)
def one_stream_as_another(trial: Trial) -> None:
    """Presents a camera as a screen, a microphone as a screen's sound, and a frame of one member as another's."""
    scene = talk(trial)
    lines = {kind: scene.line(kind) for kind in CODECS}
    (other,) = (each.leaf_index for each in scene.alice.others())
    for kind, line in lines.items():
        for shown_as in CODECS:
            if shown_as is not kind:
                stream = IncomingStream(CODECS[shown_as], shown_as, line.stream.sender)
                outcome = line.deliver(line.frame(), stream)
                what = f"{kind.name} as {shown_as.name}"
                trial.tried(what, held=outcome != TAKEN, outcome=outcome)
        mine = IncomingStream(CODECS[kind], kind, other)
        outcome = line.deliver(line.frame(), mine)
        trial.tried(f"{kind.name} as another member's", held=outcome != TAKEN, outcome=outcome)
        scene.still_heard(line)
