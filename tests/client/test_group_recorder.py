"""A file for each member, and another one for who sits on the same leaf later."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import av

from e2ee.client.group_recorder import GroupRecorder
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.sframe.mls import KeyId

SILENCE = b"\xf8\xff\xfe"
"""An Opus frame of 20 ms."""

KEY_FRAME = bytes.fromhex("1000009d012a40010001") + bytes(50)
"""What a VP8 frame of 320x256 begins with."""


def test_what_two_members_say_is_in_two_files(tmp_path: Path) -> None:
    names = count(1)
    recorder = GroupRecorder(tmp_path, lambda leaf: f"{leaf}-{next(names)}.webm")

    def say(leaf: int, frames: int) -> None:
        key_id = KeyId.of_epoch(Kind.MICROPHONE, 0, leaf, 1)
        for number in range(frames):
            frame = OpenedFrame(Codec.OPUS, SILENCE, key_id, 1, number)
            recorder.opened(Kind.MICROPHONE, frame, 960 * number, 20 * number)

    say(3, 10)
    say(5, 20)
    recorder.gone(3)
    say(3, 30)
    recorder.gone(7)  # who never said anything
    files = recorder.close()
    assert [file.name for file in files] == ["3-1.webm", "5-2.webm", "3-3.webm"]
    assert [frames_in(file) for file in files] == [10, 20, 30]
    assert recorder.close() == files


def test_who_sends_nothing_has_no_file(tmp_path: Path) -> None:
    assert GroupRecorder(tmp_path, str).close() == []
    assert not list(tmp_path.iterdir())


def frames_in(path: Path) -> int:
    with av.open(str(path)) as recording:
        return sum(1 for packet in recording.demux(audio=0) if packet.size)


def test_who_joins_anew_writes_nobody_into_the_file_of_who_had_the_leaf_before(
    tmp_path: Path,
) -> None:
    names = iter(["alice.webm", "bob.webm"])
    recorder = GroupRecorder(tmp_path, lambda _: next(names))
    key_id = KeyId.of_epoch(Kind.MICROPHONE, 0, 0, 1)
    for number in range(10):
        if number == 4:
            recorder.all_gone()
        frame = OpenedFrame(Codec.OPUS, SILENCE, key_id, 1, number)
        recorder.opened(Kind.MICROPHONE, frame, 960 * number, 20 * number)
    files = recorder.close()
    assert [(file.name, frames_in(file)) for file in files] == [("alice.webm", 4), ("bob.webm", 6)]


def test_a_file_that_cannot_be_written_does_not_end_those_of_the_others(tmp_path: Path) -> None:
    recorder = GroupRecorder(tmp_path, lambda leaf: "no-folder/a.webm" if leaf == 3 else "b.webm")
    for number in range(10):
        for leaf in (3, 5):
            key_id = KeyId.of_epoch(Kind.CAMERA if leaf == 3 else Kind.MICROPHONE, 0, leaf, 1)
            data = KEY_FRAME if leaf == 3 else SILENCE
            codec = Codec.VP8 if leaf == 3 else Codec.OPUS
            frame = OpenedFrame(codec, data, key_id, 1, number)
            recorder.opened(key_id.kind, frame, 960 * number, 20 * number)
    (file,) = recorder.close()
    assert (file.name, frames_in(file)) == ("b.webm", 10)
