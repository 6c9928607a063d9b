"""Two people at command lines: they call, answer, decline, write, compare and leave letters."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from tests.cli.people import (
    LOOPBACK,
    Process,
    Service,
    meet,
    objects,
    process,
    run,
    screen,
    serving,
)

MEDIA = ["--test", "--json", *LOOPBACK]


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("people")) as running:
        yield running


def state_of(profile: list[str], name: str) -> object:
    """What a profile's contacts say of somebody."""
    contacts = objects(run("contacts", *profile, "--json"))
    return {each["account"]: each["state"] for each in contacts}.get(name)


def both(one: Process, other: Process, event: str) -> tuple[dict[str, object], dict[str, object]]:
    return one.until(event), other.until(event)


def both_record(folder: Path, *people: Process) -> None:
    """Wait until each has opened a picture: with it its recording begins."""
    while len(list(folder.glob("*.webm"))) < len(people):
        for person in people:
            assert person.popen.poll() is None, "it ended before"
        time.sleep(0.02)


def test_alice_and_bob_talk_and_compare_a_spoken_code(service: Service, tmp_path: Path) -> None:
    alice, bob = service.profile("alice"), service.profile("bob")
    out = ["--out", str(tmp_path / "alice.webm")]
    with (
        process("answer", *bob, *MEDIA, "--once", "--out", str(tmp_path)) as answers,
        process("call", "bob", *alice, *MEDIA, *out) as calls,
    ):
        ringing = answers.until("ringing")
        assert (ringing["account"], ringing["contact"]) == ("alice", "unverified")
        assert ringing["is_first"]
        answers.tell("/answer")
        epochs = both(calls, answers, "epoch")
        assert epochs[0]["call_code"] == epochs[1]["call_code"]
        assert both(calls, answers, "safety")[0]["state"] == "unverified"
        both(calls, answers, "connected")
        both_record(tmp_path, calls, answers)

        calls.tell("/mute")
        answers.until("media", microphone=False, camera=True)
        calls.tell("/hold")
        answers.until("media", on_hold=True)
        calls.tell("/hold")
        answers.until("media", on_hold=False)
        calls.tell("/no-such-thing")
        calls.until("not_now", command="no-such-thing")

        calls.tell("/code")
        answers.until("code_wanted")
        answers.tell("/code")
        codes = both(calls, answers, "code")
        assert codes[0]["digits"] == codes[1]["digits"]
        assert codes[0]["emoji"] == codes[1]["emoji"]
        for person in (calls, answers):
            person.tell("y")
            person.until("verified")

        calls.tell("is this text?")
        assert answers.until("text")["text"] == "is this text?"
        answers.tell("/quit")
        assert calls.until("ended")["reason"] == "done"
        figures = calls.until("frames")
        assert figures["opened"] > 0
        assert not figures["rejected"]
        recorded = answers.until("recorded")["file"]
        assert calls.end() == answers.end() == 0
    for file in (recorded, tmp_path / "alice.webm"):
        with av.open(str(file)) as recording:
            assert {stream.type for stream in recording.streams} == {"audio", "video"}
    assert (state_of(alice, "bob"), state_of(bob, "alice")) == ("verified", "verified")


def test_who_is_away_finds_what_was_left(service: Service, tmp_path: Path) -> None:
    alice, bob = service.profile("alice"), service.profile("bob")
    speech = tmp_path / "speech.wav"
    write_speech(speech)
    left = ["--voice", "--note", "call me", "--voice-message", str(speech)]
    with process("call", "bob", *alice, *MEDIA, *left) as calls:
        calls.until("calling")
        calls.tell("/quit")
        calls.until("missed_call_noted")
        calls.until("letter_left", kind="note")
        calls.until("letter_left", kind="voice_message")
        assert calls.end() == 1
    with process("answer", *bob, *MEDIA) as answers:
        assert answers.until("letter", kind="note", account="alice")["text"] == "call me"
        voice = answers.until("letter", kind="voice_message", account="alice")
        answers.tell("/quit")
        assert answers.end() == 0
    # the call itself or, if that came too late, the note of it
    (missed,) = (each for each in answers.said if "medium" in each)
    assert (missed["account"], missed["medium"]) == ("alice", "voice")
    with av.open(voice["file"]) as message:
        heard = sum(frame.samples for frame in message.decode(audio=0)) / 48_000
    assert heard == pytest.approx(1, abs=0.1)


def write_speech(path: Path) -> None:
    """A second of a tone, as good as speech."""
    samples = (8000 * np.sin(np.arange(8000) / 5)).astype(np.int16).reshape(1, -1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_they_write(service: Service) -> None:
    alice, bob = service.profile("alice"), service.profile("bob")
    with (
        process("chat", *bob, "--auto", "--json") as waits,
        process("chat", "bob", *alice, "--json") as writes,
    ):
        waits.until("waiting")
        writes.tell("hello")
        assert waits.until("text")["text"] == "hello"
        waits.tell("/react 1 \N{WAVING HAND SIGN}")
        assert writes.until("reaction")["reaction"] == "\N{WAVING HAND SIGN}"
        waits.tell("//quit is how one leaves")
        assert writes.until("text")["text"] == "/quit is how one leaves"
        assert waits.until("read")["number"] == 1
        # the end of input: what was said is delivered first
        writes.tell("bye")
        assert writes.end() == 0
        assert waits.until("text")["text"] == "bye"
        waits.until("ended")
        waits.tell("/quit")
        assert waits.end() == 0


def test_on_a_terminal_keys_do_it(service: Service) -> None:
    alice, bob = service.profile("alice"), service.profile("bob")
    with (
        process("answer", *bob, *MEDIA, "--voice", "--auto", "--once") as answers,
        screen("call", "bob", *alice, "--voice", "--test", *LOOPBACK) as calls,
    ):
        calls.until("device 1 rings")
        calls.until("connected")
        calls.until("ML-KEM-768")
        calls.press("m")
        answers.until("media", microphone=False)
        calls.press("thi bub\x7f\x7fob\r")
        assert answers.until("text")["text"] == "hi bob"
        answers.tell("\N{RIGHT-TO-LEFT OVERRIDE}evil")
        calls.until("\N{FIRST STRONG ISOLATE}<U+202E>evil\N{POP DIRECTIONAL ISOLATE}")
        calls.press("q")
        calls.until("the call has ended")
        assert calls.end()[0] == 0
        assert answers.end() == 0


def test_bob_declines_with_a_text_then_answers_and_alice_presses_ctrl_c(service: Service) -> None:
    alice, bob = service.profile("alice"), service.profile("bob")
    with process("answer", *bob, *MEDIA) as answers:
        with process("call", "bob", *alice, *MEDIA) as calls:
            answers.until("ringing")
            answers.tell("/decline in a meeting \N{RIGHT-TO-LEFT OVERRIDE}drat")
            ended = calls.until("ended")
            assert (ended["reason"], ended["remote"]) == ("declined", True)
            assert ended["text"].startswith("in a meeting")
            assert calls.end() == 1
        with screen("call", "bob", *alice, "--voice", "--test", *LOOPBACK) as shown:
            answers.until("ringing")
            answers.tell("a")
            shown.until("connected")
            shown.press("\x03")
            status, rest = shown.end()
            assert status == 130
            assert "Traceback" not in rest
        ended = answers.until("ended")
        assert (ended["reason"], ended["remote"]) == ("done", True)
        os.kill(answers.popen.pid, signal.SIGTERM)
        assert answers.end() == 130


def test_a_changed_key_rings_nobody_until_it_is_accepted(service: Service, tmp_path: Path) -> None:
    alice, carol = service.profile("alice"), service.profile("carol")
    meet(alice, carol)
    assert state_of(alice, "carol") == "unverified"

    token = tmp_path / "token"
    token.write_text(run("invite", "--store", str(service.store), "--for", "carol").stdout)
    anew = ["--profile", str(tmp_path / "anew.db")]
    options = [*service.options, "--token-file", str(token)]
    assert run("register", "carol", *anew, *options).exit_code == 0

    with process("chat", "carol", *alice, "--json") as writes:
        writes.until("identity_changed", account="carol")
        assert writes.until("ended")["reason"] == "unreachable"
        assert writes.end() == 1
    assert state_of(alice, "carol") == "changed"
    refused = run("contacts", "accept", "carol", *alice, says="n\n")
    assert refused.exit_code == 1
    assert state_of(alice, "carol") == "changed"
    accepted = objects(run("contacts", "accept", "carol", *alice, "--yes", "--json"))
    own = objects(run("verify", "alice", *anew, "--json"))
    assert own == []  # she was not met yet
    assert accepted[0]["old"] != accepted[0]["new"]
    assert state_of(alice, "carol") == "unverified"
    assert run("contacts", "accept", "carol", *alice, "--yes").exit_code == 1


def test_who_is_blocked_writes_to_nobody(service: Service) -> None:
    alice, bob = service.profile("alice"), service.profile("bob")
    assert run("contacts", "block", "alice", *bob).exit_code == 0
    with (
        process("answer", *bob, *MEDIA) as answers,
        process("chat", "bob", *alice, "--json") as writes,
    ):
        answers.until("waiting")
        writes.tell("are you there?")
        writes.until("calling")
        writes.tell("/quit")
        writes.until("missed_call_noted")
        writes.until("question")
        writes.tell("y")
        writes.until("letter_left", kind="note")
        assert writes.end() == 1
        answers.tell("/quit")
        assert answers.end() == 0
    assert not {"ringing", "letter", "missed"} & set(answers.events())
    (contact,) = (c for c in objects(run("contacts", *bob, "--json")) if c["account"] == "alice")
    assert contact["blocked"]
    assert run("contacts", "unblock", "alice", *bob).exit_code == 0
