"""Vectors of the chapter Frame format, "Receiving": each check of FRAME-3, passed and failed."""

from __future__ import annotations

from e2ee.vectorgen.models import compose_kid, protect
from e2ee.vectorgen.registry import Case, Group
from e2ee.vectorgen.scenes import (
    CAMERA,
    CONTROL,
    MICROPHONE,
    SCREEN_AUDIO,
    SCREEN_VIDEO,
    Refusal,
    Scene,
    flipped,
)

__all__ = ["receiving"]

receiving = Group(
    "receiving",
    "What becomes of `frame`, received at the time `at` after `events`, in milliseconds. Each epoch's `speakers` and"
    " `hosts` are leaf indices; the outcome of an earlier frame is `opened` or the reason for which it is refused.",
)


@receiving.vector("FRAME-3", "FRAME-1", each={"0x0004": 0x0004, "0x0005": 0x0005})
def audio_frame(case: Case, suite: int) -> None:
    """All is well."""
    scene = Scene(case, suite=suite)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0), epoch=2)


@receiving.vector("FRAME-3", "FRAME-1", "CODEC-2", each={"key-frame": True, "delta-frame": False})
def video_frame(case: Case, key_frame: bool) -> None:
    """All is well; the clear bytes come back in front of the rest."""
    scene = Scene(case, CAMERA)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0, key_frame=key_frame), epoch=2)


@receiving.vector(
    "FRAME-3", "CODEC-3", reason=Refusal.TOO_SHORT, each={"audio": MICROPHONE, "video": CAMERA}
)
def empty_frame(case: Case, kind: int) -> None:
    """Nothing came."""
    scene = Scene(case, kind)
    scene.applied(0, 2)
    scene.raw(1, b"")


@receiving.vector("CODEC-3", reason=Refusal.TOO_SHORT)
def frame_that_its_sender_protected_empty(case: Case) -> None:
    """It is authentic, and nothing comes out of it: there is no such frame, and some decoders take it for the end."""
    scene = Scene(case)
    scene.applied(0, 2)
    kid = compose_kid(MICROPHONE, 0, 0, 2)
    scene.judged(1, protect(scene.suite, scene.base_key(2), kid, 0, b"", b""), epoch=2)


@receiving.vector("FRAME-3", "CODEC-3", reason=Refusal.TOO_SHORT)
def vp8_key_frame_cut_within_its_clear_bytes(case: Case) -> None:
    """Bit 0 of the first byte is 0, so ten bytes must be clear; nine are left."""
    scene = Scene(case, CAMERA)
    scene.applied(0, 2)
    protected = scene.protected(2, 0, key_frame=True)
    scene.judged(1, protected, epoch=2, changed=protected.frame[:9])


@receiving.vector("FRAME-3", "FRAME-12", reason=Refusal.BAD_HEADER)
def video_frame_cut_after_its_clear_bytes(case: Case) -> None:
    """The clear bytes alone are no frame."""
    scene = Scene(case, CAMERA)
    scene.applied(0, 2)
    protected = scene.protected(2, 0)
    scene.judged(1, protected, epoch=2, changed=protected.frame[:1])


@receiving.vector("FRAME-3", reason=Refusal.BAD_HEADER)
def header_cut_off(case: Case) -> None:
    """Of a header of three bytes two are left."""
    scene = Scene(case)
    scene.applied(0, 2)
    protected = scene.protected(2, 300)
    scene.judged(1, protected, epoch=2, changed=protected.frame[:2])


@receiving.vector("FRAME-4", reason=Refusal.BAD_HEADER)
def kid_longer_than_necessary(case: Case) -> None:
    """KID 2 fits into the config byte and is encoded in a byte of its own."""
    scene = Scene(case)
    scene.applied(0, 2)
    protected = scene.protected(2, 0)
    padded = bytes([0x80, 0x02]) + protected.frame[1:]
    scene.judged(1, protected, epoch=2, changed=padded)


@receiving.vector("FRAME-4", reason=Refusal.BAD_HEADER)
def kid_with_a_leading_zero_byte(case: Case) -> None:
    """The KID of leaf 2 needs one byte and is encoded in two."""
    scene = Scene(case)
    scene.applied(0, 2)
    protected = scene.protected(2, 0, leaf=2)
    padded = bytes([0x90, 0x00]) + protected.frame[1:]
    scene.judged(1, protected, epoch=2, changed=padded)


@receiving.vector("FRAME-4", reason=Refusal.BAD_HEADER)
def ctr_longer_than_necessary(case: Case) -> None:
    """CTR 5 fits into the config byte and is encoded in a byte of its own."""
    scene = Scene(case)
    scene.applied(0, 2)
    protected = scene.protected(2, 5)
    padded = bytes([0x28, 0x05]) + protected.frame[1:]
    scene.judged(1, protected, epoch=2, changed=padded)


LONGER = {
    "kid-in-a-byte": (0, 5, "85 02"),
    "kid-in-two-bytes": (2, 5, "95 0022"),
    "ctr-in-a-byte": (0, 5, "28 05"),
    "ctr-in-two-bytes": (0, 200, "29 00c8"),
    "ctr-in-eight-bytes": (0, 5, "2f 0000000000000005"),
}
"""Leaf, CTR, and a header of both that is longer than the one way to write them."""


@receiving.vector("FRAME-4", reason=Refusal.BAD_HEADER, each=LONGER)
def authentic_with_its(case: Case, longer: tuple[int, int, str]) -> None:
    """Its sender protected it with this header: the tag is right, and there would be two frames for one counter."""
    leaf, ctr, encoded = longer
    scene = Scene(case)
    scene.applied(0, 2)
    frame = case.entropy.random(12)
    kid = compose_kid(MICROPHONE, 0, leaf, 2)
    base_key = scene.base_key(2)
    made = protect(scene.suite, base_key, kid, ctr, b"", frame, bytes.fromhex(encoded))
    scene.judged(1, made, epoch=2)


@receiving.vector("FRAME-3", "FKEY-2", reason=Refusal.BAD_KID)
def frame_for_viewers(case: Case) -> None:
    """The KID has `live` set, which this version's calls do not use."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0, live=1), epoch=2)


@receiving.vector("FRAME-3", "FKEY-2", reason=Refusal.BAD_KID)
def frame_of_an_unassigned_kind(case: Case) -> None:
    """Kind 5."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0, kind=5), epoch=2)


@receiving.vector(
    "FRAME-5", reason=Refusal.WRONG_KIND, each={"screen": SCREEN_VIDEO, "control": CONTROL}
)
def on_a_camera_stream(case: Case, kind: int) -> None:
    """An authentic frame of leaf 0, moved by a server to another of its streams."""
    scene = Scene(case, CAMERA)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0, kind=kind), epoch=2)


@receiving.vector("FRAME-6")
def stream_of_its_announced_sender(case: Case) -> None:
    """The server said that leaf 0 sends here, and the KID says so too."""
    scene = Scene(case, sender=0)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0), epoch=2)


@receiving.vector("FRAME-6", reason=Refusal.WRONG_SENDER)
def stream_announced_for_somebody_else(case: Case) -> None:
    """An authentic frame of leaf 2 on the stream of leaf 0: shown there, it would put words into leaf 0's mouth."""
    scene = Scene(case, sender=0)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0, leaf=2), epoch=2)


@receiving.vector("FRAME-7")
def frame_of_a_speaker(case: Case) -> None:
    """Leaf 0 is listed."""
    scene = Scene(case)
    scene.applied(0, 2, speakers=(0,))
    scene.judged(1, scene.protected(2, 0), epoch=2)


@receiving.vector("FRAME-7")
def frame_of_a_host(case: Case) -> None:
    """Leaf 2 is not listed, and a host."""
    scene = Scene(case)
    scene.applied(0, 2, speakers=(0,), hosts=(2,))
    scene.judged(1, scene.protected(2, 0, leaf=2), epoch=2)


@receiving.vector("FRAME-7", reason=Refusal.NOT_A_SPEAKER)
def frame_of_a_listener(case: Case) -> None:
    """Leaf 2 is in the group and so has keys, but only leaf 0 may speak."""
    scene = Scene(case)
    scene.applied(0, 2, speakers=(0,))
    scene.judged(1, scene.protected(2, 0, leaf=2), epoch=2)


@receiving.vector("FRAME-7", reason=Refusal.NOT_A_SPEAKER)
def frame_of_who_was_no_speaker_yet(case: Case) -> None:
    """From epoch 3 on leaf 2 may speak; the epoch of the frame counts."""
    scene = Scene(case)
    scene.applied(0, 2, speakers=(0,))
    scene.applied(1_000, 3, speakers=(0, 2))
    scene.judged(1_001, scene.protected(2, 0, leaf=2), epoch=2)


@receiving.vector("FRAME-3", reason=Refusal.UNKNOWN_KEY)
def frame_of_an_empty_leaf(case: Case) -> None:
    """Nobody is at leaf 3."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0, leaf=3), epoch=2)


@receiving.vector("FRAME-3", reason=Refusal.UNKNOWN_KEY)
def own_frame_sent_back(case: Case) -> None:
    """The receiver's own leaf: send keys never open (RFC 9605, Section 4.4.1)."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0, leaf=1), epoch=2)


@receiving.vector("FRAME-8", "FRAME-3", reason=Refusal.UNKNOWN_KEY)
def frame_of_an_epoch_before_the_call(case: Case) -> None:
    """Epoch 1 was never applied as an epoch of frames."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(1, 0), epoch=1)


@receiving.vector("FRAME-8", reason=Refusal.NOT_AUTHENTIC)
def frame_under_the_key_of_another_epoch(case: Case) -> None:
    """The KID says epoch 3, the key is epoch 2's, which the receiver has too: it must not be tried."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.applied(10, 3)
    scene.judged(20, scene.protected(3, 0, base_key=scene.base_key(2)), epoch=3)


@receiving.vector("FRAME-9", reason=Refusal.REPLAYED, each={"audio": MICROPHONE, "video": CAMERA})
def frame_sent_twice(case: Case, kind: int) -> None:
    """The very same bytes again."""
    scene = Scene(case, kind)
    scene.applied(0, 2)
    protected = scene.protected(2, 0)
    scene.earlier(1, protected.frame)
    scene.judged(2, protected, epoch=2)


WINDOWS = {
    "audio": (MICROPHONE, 128),
    "video": (CAMERA, 1_024),
    "screen-audio": (SCREEN_AUDIO, 128),
    "screen-video": (SCREEN_VIDEO, 1_024),
}


@receiving.vector("FRAME-9", each=WINDOWS)
def last_counter_within_the_window(case: Case, window: tuple[int, int]) -> None:
    """The highest counter accepted is as much ahead as the window allows."""
    kind, size = window
    scene = Scene(case, kind)
    scene.applied(0, 2)
    scene.earlier(1, scene.protected(2, 10 + size - 1).frame)
    scene.judged(2, scene.protected(2, 10), epoch=2)


@receiving.vector("FRAME-9", reason=Refusal.REPLAYED, each=WINDOWS)
def first_counter_before_the_window(case: Case, window: tuple[int, int]) -> None:
    """One more, and it can no longer be known whether the counter is new."""
    kind, size = window
    scene = Scene(case, kind)
    scene.applied(0, 2)
    scene.earlier(1, scene.protected(2, 10 + size).frame)
    scene.judged(2, scene.protected(2, 10), epoch=2)


@receiving.vector("FKEY-4", each={"two-to-the-24": 1 << 24, "of-seven-bytes": (1 << 53) - 1})
def counter_that_no_sender_reaches(case: Case, ctr: int) -> None:
    """Where counters end is the sender's rule. A receiver judges this one like any other."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.earlier(1, scene.protected(2, (1 << 24) - 1).frame)
    scene.judged(2, scene.protected(2, ctr), epoch=2)


@receiving.vector("FRAME-9")
def reordered_frames(case: Case) -> None:
    """3, 1, 2: each is new."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.earlier(1, scene.protected(2, 3).frame)
    scene.earlier(1, scene.protected(2, 1).frame)
    scene.judged(2, scene.protected(2, 2), epoch=2)


@receiving.vector("FRAME-9")
def same_counter_in_another_epoch(case: Case) -> None:
    """The window belongs to epoch and KID."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.earlier(1, scene.protected(2, 0).frame)
    scene.applied(10, 3)
    scene.judged(11, scene.protected(3, 0), epoch=3)


@receiving.vector("FRAME-9")
def same_counter_of_another_stream(case: Case) -> None:
    """The second camera of leaf 0 counts on its own."""
    scene = Scene(case, CAMERA)
    scene.applied(0, 2)
    scene.earlier(1, scene.protected(2, 0).frame)
    scene.judged(2, scene.protected(2, 0, instance=1), epoch=2)


FIRST = {"of-a-stream-not-heard-yet": False, "of-a-stream-heard-before": True}
"""Whether the receiver has a window for the KID already: what it remembers must not change in either case."""


@receiving.vector("FRAME-10", each=FIRST)
def after_a_forgery_far_ahead_frame(case: Case, heard: bool) -> None:
    """A forged frame with the largest counter fails; a small one is still new. Else one packet would silence a sender."""
    scene = Scene(case)
    scene.applied(0, 2)
    if heard:
        scene.earlier(1, scene.protected(2, 0).frame)
    forged = scene.protected(2, 2**24 - 1, base_key=scene.base_key(99))
    scene.earlier(2, forged.frame, Refusal.NOT_AUTHENTIC)
    scene.judged(3, scene.protected(2, 1), epoch=2)


@receiving.vector("FRAME-10", each=FIRST)
def after_its_forgery_frame(case: Case, heard: bool) -> None:
    """A frame changed on the way fails; the same frame unchanged is opened afterwards."""
    scene = Scene(case)
    scene.applied(0, 2)
    if heard:
        scene.earlier(1, scene.protected(2, 0).frame)
    protected = scene.protected(2, 4)
    scene.earlier(2, flipped(protected.frame, -1), Refusal.NOT_AUTHENTIC)
    scene.judged(3, protected, epoch=2)


# Positions in clear (10 bytes) || header (4) || ciphertext (12) || tag (16)
FLIPPED = {
    "clear-byte": 5,
    "counter": 13,
    "ciphertext": 14,
    "last-byte-of-the-ciphertext": 25,
    "tag": 26,
    "last-byte": 41,
}


@receiving.vector("FRAME-3", "FRAME-11", reason=Refusal.NOT_AUTHENTIC, each=FLIPPED)
def flipped_bit_in(case: Case, position: int) -> None:
    """One bit of a VP8 key frame was changed on the way: all of it is authenticated."""
    scene = Scene(case, CAMERA)
    scene.applied(0, 2)
    protected = scene.protected(2, 9, key_frame=True)
    scene.judged(1, protected, epoch=2, changed=flipped(protected.frame, position))


@receiving.vector(
    "FRAME-3",
    "FRAME-11",
    reason=Refusal.NOT_AUTHENTIC,
    each={"header-only": 1, "short-of-a-tag": 16, "cut": 28},
)
def truncated_to(case: Case, length: int) -> None:
    """The header is whole; ciphertext or tag is cut off."""
    scene = Scene(case)
    scene.applied(0, 2)
    protected = scene.protected(2, 0)
    scene.judged(1, protected, epoch=2, changed=protected.frame[:length])


@receiving.vector("FRAME-3", "FRAME-11", reason=Refusal.NOT_AUTHENTIC)
def byte_after_the_tag(case: Case) -> None:
    """Padding that was not stripped."""
    scene = Scene(case)
    scene.applied(0, 2)
    protected = scene.protected(2, 0)
    scene.judged(1, protected, epoch=2, changed=protected.frame + b"\0")


@receiving.vector("FRAME-12", reason=Refusal.BAD_HEADER)
def opus_silence_in_the_clear(case: Case) -> None:
    """The three bytes that forwarding units insert for silence: no exemption for them."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.raw(1, bytes.fromhex("f8fffe"))


@receiving.vector("FRAME-12", reason=Refusal.NOT_AUTHENTIC)
def opus_frame_in_the_clear_that_looks_like_a_header(case: Case) -> None:
    """An unprotected frame whose first byte happens to name a key and a counter."""
    scene = Scene(case)
    scene.applied(0, 2)
    scene.raw(1, b"\x20" + case.entropy.random(40))


@receiving.vector("FRAME-3", reason=Refusal.WRONG_SENDER)
def two_faults_sender_before_key(case: Case) -> None:
    """Leaf 3 is not who was announced, and there is no such leaf: the first row of the table that fails is the reason."""
    scene = Scene(case, sender=0)
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0, leaf=3), epoch=2)


@receiving.vector("FRAME-3", reason=Refusal.REPLAYED)
def two_faults_replay_before_tag(case: Case) -> None:
    """A replayed frame with a broken tag is refused before its tag is computed."""
    scene = Scene(case)
    scene.applied(0, 2)
    protected = scene.protected(2, 0)
    scene.earlier(1, protected.frame)
    scene.judged(2, protected, epoch=2, changed=flipped(protected.frame, -1))


@receiving.vector("FRAME-3", reason=Refusal.NOT_A_SPEAKER)
def two_faults_speaker_before_tag(case: Case) -> None:
    """Who may not speak is refused whatever the tag."""
    scene = Scene(case)
    scene.applied(0, 2, speakers=(0,))
    protected = scene.protected(2, 0, leaf=2)
    scene.judged(1, protected, epoch=2, changed=flipped(protected.frame, -1))
