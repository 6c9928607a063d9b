"""More cases of the groups ``receiving`` and ``holding``: frames of H.264 and of VP9, whole and damaged."""

from __future__ import annotations

from dataclasses import replace

from e2ee.vectorgen.h264_model import byte_stream
from e2ee.vectorgen.holding import holding
from e2ee.vectorgen.models import Protected, protect
from e2ee.vectorgen.receiving import receiving
from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.scenes import CAMERA, H264_DELTA_FRAME, Refusal, Scene, flipped

__all__: list[str] = []


def h264_scene(case: Case) -> Scene:
    """Epoch 2 is applied; the stream is a camera's, in H.264."""
    scene = Scene(case, CAMERA, codec="H264")
    scene.applied(0, 2)
    return scene


def protected_to(scene: Scene, wanted: bytes, ctr: int) -> Protected:
    """A frame whose ciphertext is ``wanted``: in GCM, ciphertext XOR plaintext is one key stream."""
    drawn = scene.protected(2, ctr)
    make = (scene.suite, scene.base_key(2), drawn.kid, ctr, H264_DELTA_FRAME)
    stream = protect(*make, bytes(len(wanted))).ciphertext
    return protect(*make, bytes(a ^ b for a, b in zip(wanted, stream, strict=True)))


KEY_FRAMES = {"key-frame": True, "delta-frame": False}


@receiving.vector("FRAME-3", "CODEC-10", "CODEC-14", each=KEY_FRAMES)
def h264(case: Case, key_frame: bool) -> None:
    """All is well; the clear part comes back in front of the rest."""
    scene = h264_scene(case)
    scene.judged(1, scene.protected(2, 0, key_frame=key_frame), epoch=2)


@receiving.vector("FRAME-3", "CODEC-13", "CODEC-14")
def h264_with_emulation_prevention(case: Case) -> None:
    """The ciphertext has start codes and bytes 03 after zeros; what is sent has none of the former."""
    scene = h264_scene(case)
    wanted = bytes.fromhex("77 000000 000001 65 000003 00000302 11 0000")
    scene.judged(1, protected_to(scene, wanted, 3), epoch=2)


@receiving.vector("FRAME-3", "CODEC-13", "CODEC-14")
def h264_with_a_tag_that_ends_in_00(case: Case) -> None:
    """Behind it there is 80."""
    scene = h264_scene(case)
    drawn = (scene.protected(2, ctr) for ctr in range(10_000))
    scene.judged(1, next(each for each in drawn if each.tag.endswith(b"\0")), epoch=2)


@receiving.vector("FRAME-3", "CODEC-11", each={"three": b"\0\0\1", "five": b"\0\0\0\0\1"})
def h264_with_start_codes_of_bytes(case: Case, start_code: bytes) -> None:
    """The depacketiser wrote others than the sender authenticated; the frame that comes back has those of four bytes."""
    scene = h264_scene(case)
    protected = scene.protected(2, 0, key_frame=True)
    came = protected.sent("H264").replace(b"\0\0\0\1", start_code)
    scene.judged(1, protected, epoch=2, changed=came)


@receiving.vector("FRAME-3", "CODEC-14", reason=Refusal.BAD_ENDING)
def h264_without_its_last_byte(case: Case) -> None:
    """The 80 is missing, and nothing else."""
    scene = h264_scene(case)
    protected = scene.protected(2, 0)
    scene.judged(1, protected, epoch=2, changed=protected.sent("H264")[:-1])


@receiving.vector("FRAME-3", "CODEC-14", reason=Refusal.BAD_ENDING)
def h264_with_a_byte_after_its_last(case: Case) -> None:
    """Padding that was not stripped."""
    scene = h264_scene(case)
    protected = scene.protected(2, 0)
    scene.judged(1, protected, epoch=2, changed=protected.sent("H264") + b"\0")


@receiving.vector("FRAME-3", "CODEC-14", reason=Refusal.BAD_ENDING)
def h264_two_faults_ending_before_header(case: Case) -> None:
    """Cut within the SFrame header: without its last byte nothing is read of it."""
    scene = h264_scene(case)
    protected = scene.protected(2, 300)
    cut = protected.sent("H264")[: len(protected.clear) + 2]
    scene.judged(1, protected, epoch=2, changed=cut)


@receiving.vector("FRAME-3", "CODEC-14", reason=Refusal.BAD_HEADER)
def h264_header_cut_off(case: Case) -> None:
    """What is left of the SFrame header ends in 80."""
    scene = h264_scene(case)
    protected = scene.protected(2, 300)
    cut = protected.sent("H264")[: len(protected.clear) + 2] + b"\x80"
    scene.judged(1, protected, epoch=2, changed=cut)


@receiving.vector(
    "FRAME-3",
    "CODEC-12",
    "FRAME-12",
    reason=Refusal.NO_SLICE,
    each={
        "parameter-sets": byte_stream(bytes.fromhex("6742c01e8c8d40"), bytes.fromhex("68ce3c80")),
        "a-frame-of-vp8": bytes.fromhex("d04200 9d012a 8002 e001") + bytes(30),
    },
)
def h264_in_the_place_of_which_come(case: Case, frame: bytes) -> None:
    """No NAL unit of type 1 or 5: nothing says what is clear."""
    h264_scene(case).raw(1, frame)


@receiving.vector("FRAME-3", "CODEC-3", reason=Refusal.TOO_SHORT)
def h264_cut_within_its_clear_bytes(case: Case) -> None:
    """Of the first slice its header byte and one more are left."""
    scene = h264_scene(case)
    protected = scene.protected(2, 0, key_frame=True)
    scene.judged(1, protected, epoch=2, changed=protected.clear[:-1])


@receiving.vector("FRAME-12", reason=Refusal.BAD_ENDING)
def h264_in_the_clear(case: Case) -> None:
    """An unprotected frame."""
    h264_scene(case).raw(1, H264_DELTA_FRAME + bytes.fromhex("0102030405"))


FLIPPED = {"parameter-set": 6, "slice": -1}


@receiving.vector("FRAME-3", "FRAME-11", "CODEC-10", reason=Refusal.NOT_AUTHENTIC, each=FLIPPED)
def h264_flipped_bit_in_the_clear_part_of_a(case: Case, position: int) -> None:
    """The clear part is authenticated: resolution and slice are the sender's."""
    scene = h264_scene(case)
    protected = scene.protected(2, 0, key_frame=True)
    changed = replace(protected, clear=flipped(protected.clear, position))
    scene.judged(1, protected, epoch=2, changed=changed.sent("H264"))


@receiving.vector("FRAME-3", "FRAME-11", "CODEC-10", reason=Refusal.NOT_AUTHENTIC)
def h264_without_its_parameter_sets(case: Case) -> None:
    """A forwarding unit, or a repairing depacketiser, left the first NAL unit away."""
    scene = h264_scene(case)
    protected = scene.protected(2, 0, key_frame=True)
    second = protected.clear.index(b"\0\0\0\1", 4)
    changed = replace(protected, clear=protected.clear[second:])
    scene.judged(1, protected, epoch=2, changed=changed.sent("H264"))


@receiving.vector("FRAME-3", "CODEC-13", reason=Refusal.NOT_AUTHENTIC)
def h264_with_a_byte_03_left_out(case: Case) -> None:
    """Of bytes 00 00 03 00 in the ciphertext a sender makes 00 00 03 03 00: without the first 03 the second one is dropped."""
    scene = h264_scene(case)
    protected = protected_to(scene, bytes.fromhex("77 00000300 11"), 3)
    changed = protected.sent("H264").replace(bytes.fromhex("00000303"), bytes.fromhex("000003"))
    scene.judged(1, protected, epoch=2, changed=changed)


@holding.vector("FRAME-13", "FRAME-14", "CODEC-14")
def h264_frame_whose_key_comes_in_time(case: Case) -> None:
    """Its KID is read before its key is there, and all of it is judged again when it is."""
    scene = h264_scene(case)
    scene.judged(100, scene.protected(3, 0, key_frame=True), epoch=3)
    scene.until(1_100)
    scene.applied(200, 3, later=True)


@receiving.vector("FRAME-3", "CODEC-15")
def vp9(case: Case) -> None:
    """No byte is clear: the SFrame header is the first byte."""
    scene = Scene(case, CAMERA, codec="VP9")
    scene.applied(0, 2)
    scene.judged(1, scene.protected(2, 0), epoch=2)


@receiving.vector("FRAME-3", "CODEC-15", reason=Refusal.WRONG_KIND)
def vp9_with_a_clear_byte(case: Case) -> None:
    """As if its sender had left the first byte clear: read as a header, it names a microphone."""
    scene = Scene(case, CAMERA, codec="VP9")
    scene.applied(0, 2)
    protected = scene.protected(2, 0)
    scene.judged(1, protected, epoch=2, changed=b"\x82" + protected.frame)
