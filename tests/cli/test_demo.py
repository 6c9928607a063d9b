"""The main job, as its user runs it: a call, a group, real media, and an exit status that means something."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from e2ee.cli.demo.verdict import SENT

SECONDS = "8"


def demo(folder: Path, *options: str, seconds: str = SECONDS) -> tuple[int, dict[str, Any], str]:
    """Run ``e2ee demo --json``; its exit status, its object, and what it said on standard error."""
    entry = [sys.executable, "-c", "from e2ee.cli.main import main; main()"]
    done = subprocess.run(  # noqa: S603
        [*entry, "demo", "--json", "--seconds", seconds, "--out", str(folder), *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.parametrize(("suite", "code_point"), [("hybrid", 0xF0E2), ("classical", 0x0001)])
def test_two_processes_see_and_hear_each_other(tmp_path: Path, suite: str, code_point: int) -> None:
    status, found, complaints = demo(tmp_path, "--suite", suite)
    assert [check for check in found["checks"] if not check["passed"]] == []
    assert (status, complaints) == (0, "")
    assert {peer["suite"] for peer in found["peers"].values()} == {code_point}
    for peer in found["peers"].values():
        with av.open(peer["recording"]) as recording:
            assert {stream.type for stream in recording.streams} == {"video", "audio"}
            pictures = sum(1 for _ in recording.decode(video=0))
        assert pictures == peer["streams"]["camera"]["opened"]
    joined, removed = found["group"]["joined"], found["group"]["removed"]
    assert 0 < joined["after"] <= joined["first_frame_after"]
    assert 0 < removed["everybody_on_after"]
    assert 0 < removed["opened_before"] < removed["tried"]
    assert removed["opened_after"] == 0


def film(path: Path) -> Path:
    """A second of moving grey and of a tone, in a container and with codecs that no call uses."""
    with av.open(str(path), "w") as made:
        video = made.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        audio = made.add_stream("aac", rate=44_100)
        for number in range(25):
            picture = np.full((240, 320, 3), number * 10, np.uint8)
            made.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        sound = np.sin(np.arange(44_100) / 16).astype(np.float32)[np.newaxis]
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="mono")
        frame.sample_rate = 44_100
        made.mux(audio.encode(frame))
        made.mux([*video.encode(), *audio.encode()])
    return path


def test_any_film_can_be_sent(tmp_path: Path) -> None:
    status, found, _ = demo(tmp_path, "--media", str(film(tmp_path / "film.mp4")), seconds="4")
    assert [check for check in found["checks"] if not check["passed"]] == []
    assert status == 0
    assert {peer["psnr"] for peer in found["peers"].values()} == {None}


def test_with_wrong_keys_nothing_is_opened(tmp_path: Path) -> None:
    status, found, _ = demo(tmp_path, "--sabotage", "wrong-key", seconds="3")
    assert status == 1
    assert not found["passed"]
    streams = [
        stream
        for peer in found["peers"].values()
        for kind, stream in peer["streams"].items()
        if kind in SENT
    ]
    assert all(stream["sent"] > 0 for stream in streams)
    assert [stream["opened"] for stream in streams] == [0, 0, 0, 0]
    assert {reason for stream in streams for reason in stream["rejected"]} == {"NOT_AUTHENTIC"}
    assert not list(tmp_path.iterdir())  # nothing that did not open is recorded


def test_with_keys_that_stay_who_was_removed_opens_everything(tmp_path: Path) -> None:
    status, found, _ = demo(tmp_path, "--sabotage", "old-key", seconds="2")
    assert status == 1
    failed = {check["name"] for check in found["checks"] if not check["passed"]}
    assert "guest, afterwards" in failed
    assert found["group"]["removed"]["opened_after"] > 0


def test_what_cannot_be_played_is_said_in_one_line(tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(b"no film")
    status, found, _ = demo(tmp_path, "--media", str(noise))
    assert status == 1
    assert "NOT_PLAYABLE" in found["error"]
