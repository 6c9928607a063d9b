"""The examples, run as their reader would run them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import av
import numpy as np
import pytest

import e2ee.examples
from e2ee.call.chat.events import TextReceived
from e2ee.call.group.events import GroupCallOpened, MemberLeft
from e2ee.call.medium import Medium
from e2ee.client.call import Connected
from e2ee.client.group_events import StreamBegan
from e2ee.client.key_store import Service
from e2ee.client.media import Media
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.examples._service import HERE, a_service, account
from e2ee.identity.device_certificate import Role
from e2ee.media.encoded_frame import Kind
from e2ee.server.app import PATH, create_app
from e2ee.server.serve import serve

EXAMPLES = {
    "first_call": ["Calling", "Connected", "the code to compare:", "Ended"],
    "echo_bot": [
        "a bot, says its certificate: echo",
        "my picture came back: number",
        "my tone came back: 440 Hz",
        "my text came back: is anybody there?",
    ],
    "recorder": [
        "records, says its certificate: minutes",
        "says: I record this call.",
        "recorded.webm",
    ],
    "answering_machine": [
        "answers, says its certificate: BOT|RECORDER",
        "the greeting is over",
        "keeps a message from alice",
        "the machine is off: a voice message waits for it",
        "keeps a message from alice",
    ],
    "conference_bot": [
        "a bot, says its certificate: BOT",
        "plays announcement.ogg",
        "hears bot play 880 Hz",
        "bot has left",
    ],
    "conformance_adapter": [],  # says nothing unless spoken to, which tests/conformance does
    "in_memory": ["connected; the code to compare:", "Bob reads: no socket carried this"],
    "mls_group": [
        "Carol reads: Whose turn is it? (from leaf 1)",
        "Alice and Bob export the same secret: True",
        "Bob sees that leaf 0 removes [2]",
        "Carol gets: WRONG_EPOCH",
        "Epoch 2: 2 members",
    ],
}
"""What each prints, in this order."""

PATIENCE = 60
"""Seconds."""


def test_every_example_is_run() -> None:
    modules = {path.stem for path in Path(e2ee.examples.__path__[0]).glob("[a-z]*.py")}
    assert modules == set(EXAMPLES)


def seconds(path: Path) -> float:
    """How long a recording is."""
    with av.open(str(path)) as recording:
        last = 0.0
        for frame in recording.decode(*recording.streams):
            last = max(last, frame.time or 0.0)
        return last


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_does_what_it_says(name: str, tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", f"e2ee.examples.{name}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    at = 0
    for line in EXAMPLES[name]:
        at = done.stdout.find(line, at) + 1
        assert at, line
    brought = {"greeting", "announcement"}
    recordings = [each for each in tmp_path.glob("example-out/*") if each.stem not in brought]
    assert len(recordings) == {"recorder": 1, "answering_machine": 2}.get(name, 0)
    assert all(seconds(each) > 0.5 for each in recordings)


def test_a_bot_answers_at_a_server_of_one_s_own(tmp_path: Path) -> None:
    async def story() -> None:
        identity = ServiceIdentity.create("127.0.0.1", SystemEntropy())
        app = create_app(DeliveryService(identity, MemoryStore(), SystemEntropy()))
        async with serve(app) as port, asyncio.timeout(PATIENCE):
            url, keys = f"ws://127.0.0.1:{port}{PATH}", identity.directory_keys()
            options = ["--name", "echo", "--server", url]
            for key_id, key in keys.keys.items():
                options += ["--directory-key", f"{key_id}:{key.hex()}"]
            bot = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "e2ee.examples.echo_bot", *options),
                stdout=PIPE,
                cwd=tmp_path,
            )
            try:
                assert bot.stdout is not None
                assert await bot.stdout.readline() == b"echo answers everybody\n"
                await visit(Service(url, "127.0.0.1", keys))
            finally:
                bot.kill()
                await bot.communicate()

    async def visit(service: Service) -> None:
        profile = Profile.in_memory()
        profile.create("alice", service)
        async with online(profile) as alice:
            call = alice.call("echo", Media(), medium=Medium.TEXT)
            async for event in call:
                if isinstance(event, Connected):
                    assert call.members[-1].certificate.roles is Role.BOT
                    call.say("hello")
                elif isinstance(event, TextReceived):
                    assert event.text == "hello"
                    call.hang_up()

    asyncio.run(story())


def film(path: Path) -> Path:
    """A second of moving grey and of a tone."""
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


def test_a_bot_plays_a_film_to_a_group_call(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            asyncio.timeout(PATIENCE),
            a_service() as service,
            online(account("alice", service), network=HERE) as alice,
        ):
            call, seen = alice.meet(Media()), set()
            async for event in call:
                if isinstance(event, GroupCallOpened):
                    bot = await start(service, call.link)
                elif isinstance(event, StreamBegan):
                    await event.track.recv()
                    seen.add(event.kind)
                elif isinstance(event, MemberLeft):
                    assert event.member.certificate.roles is Role.BOT
                    call.leave()
            assert seen == {Kind.CAMERA, Kind.MICROPHONE}
            assert await bot.wait() == 0

    async def start(service: Service, link: str | None) -> asyncio.subprocess.Process:
        assert link is not None
        options = ["--name", "cinema", "--server", service.url, "--link", link]
        options += ["--server-name", service.server_name, "--address", "127.0.0.1"]
        options += ["--film", str(film(tmp_path / "film.mp4"))]
        for key_id, key in service.directory_keys.keys.items():
            options += ["--directory-key", f"{key_id}:{key.hex()}"]
        program = (sys.executable, "-m", "e2ee.examples.conference_bot", *options)
        return await asyncio.create_subprocess_exec(*program, stdout=PIPE, cwd=tmp_path)

    asyncio.run(story())
