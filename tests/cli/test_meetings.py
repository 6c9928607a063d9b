"""People at command lines meet in group calls: by a link, through a lobby, on a stage, and by invitation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.cli.people import LOOPBACK, Process, Service, process, run, screen, serving

JSON = ["--json", *LOOPBACK]
TEST = ["--test", *JSON]


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("meetings")) as running:
        yield running


@contextlib.contextmanager
def meeting(service: Service, *options: str) -> Iterator[tuple[Process, str]]:
    """Alice's group call, and its link, which is the first thing that is printed."""
    with process("meet", *service.profile("alice"), *options) as alice:
        link = alice.until("link")["link"]
        assert alice.events() == ["link"]
        yield alice, link


@contextlib.contextmanager
def joining(service: Service, name: str, link: str, *options: str) -> Iterator[Process]:
    with process("join", link, *service.profile(name), *options) as person:
        yield person


@contextlib.contextmanager
def inside(service: Service, name: str, link: str, *options: str) -> Iterator[Process]:
    """Who has joined before anybody else does: so leaves are in the order of the text."""
    with joining(service, name, link, *options) as person:
        person.until("joined")
        yield person


def came(person: Process, event: str, **fields: object) -> dict[str, Any]:
    """What was said already, or will be."""
    for said in person.said:
        if said["event"] == event and fields.items() <= said.items():
            return said
    return person.until(event, **fields)


def test_three_meet_by_a_link_and_one_is_removed(service: Service, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path)]
    with (
        meeting(service, *TEST, *out) as (alice, link),
        inside(service, "bob", link, *TEST) as bob,
        inside(service, "carol", link, "--mute", *TEST) as carol,
    ):
        for person, others in ((alice, "bob carol"), (bob, "alice carol"), (carol, "alice bob")):
            for other in others.split():
                came(person, "stream_began", account=other, kind="camera")
        assert came(alice, "safety", account="bob")["state"] == "unverified"
        came(alice, "speaking", members=[{"account": "bob", "device": 1}])
        assert "microphone" not in came(alice, "streams", account="carol")["kinds"]

        bob.tell("hello all")
        assert alice.until("text", account="bob")["text"] == "hello all"
        assert carol.until("text", account="bob")["text"] == "hello all"
        alice.tell("/mute bob")
        bob.until("mute_requested", account="alice", kind="microphone")
        assert alice.until("streams", account="bob")["kinds"] == ["camera"]
        carol.tell("/people")
        assert [each["account"] for each in carol.until("people")["members"]] == [
            "alice",
            "bob",
            "carol",
        ]
        bob.tell("/remove carol")
        assert bob.until("not_now", command="remove")
        bob.tell("/remove nobody")
        assert bob.until("not_now", command="remove")

        alice.tell("/remove bob")
        assert bob.until("ended")["reason"] == "removed"
        assert bob.end() == 1
        assert carol.until("members")["removed"] == [{"account": "bob", "device": 1}]
        alice.until("removal_complete")
        carol.until("removal_complete")
        carol.tell("/quit")
        assert carol.until("ended")["reason"] == "left"
        assert alice.until("left")["account"] == "carol"
        alice.tell("/quit")
        figures = alice.until("frames")
        assert figures["sent"] > 0
        assert figures["opened"] > 0
        assert alice.end() == carol.end() == 0
    recorded = [each["file"] for each in alice.said if each["event"] == "recorded"]
    assert {Path(file).name.split("-")[0] for file in recorded} == {"bob", "carol"}
    for file in recorded:
        with av.open(file) as recording:
            assert {stream.type for stream in recording.streams} >= {"audio"}


def test_who_has_the_link_waits_in_the_lobby(service: Service) -> None:
    voice = ["--voice", *TEST]
    with meeting(service, "--lobby", *voice) as (alice, link):
        with joining(service, "bob", link, *voice) as bob:
            assert bob.until("asks")["lobby"]
            knocked = alice.until("knocked", account="bob")
            assert knocked["contact"] == "unverified"
            alice.tell("/admit")
            bob.until("joined")
            alice.until("knock_withdrawn", account="bob")
            bob.tell("/quit")
            assert bob.end() == 0
        with joining(service, "carol", link, *voice) as carol:
            alice.until("knocked", account="carol")
            alice.tell("/away carol")
            assert carol.until("ended")["reason"] == "turned-away"
            assert carol.end() == 1
        alice.tell("/quit")
        assert alice.end() == 0


def test_a_viewer_is_taken_on_the_stage(service: Service) -> None:
    voice = ["--voice", *TEST]
    with (
        meeting(service, "--stage", *voice) as (alice, link),
        joining(service, "bob", link, *voice) as bob,
    ):
        bob.until("stream_began", account="alice", kind="microphone")
        bob.tell("/hand")
        assert alice.until("hand", account="bob")["raised"]
        alice.tell("/role bob speaker")
        bob.until("invited_to_stage", account="alice")
        bob.tell("y")
        assert alice.until("stage_reply", account="bob")["accepted"]
        alice.until("stream_began", account="bob", kind="microphone")
        alice.tell("/off bob")
        alice.until("stream_ended", account="bob", kind="microphone")
        alice.tell("/host bob")
        alice.until("profile")
        alice.tell("/quit")
        bob.until("left", account="alice")
        bob.tell("/lock")
        assert bob.until("profile", join_policy="closed")["committer"]["account"] == "bob"
        bob.tell("/quit")
        assert alice.end() == bob.end() == 0


def test_who_is_invited_finds_it_at_the_door(service: Service) -> None:
    with process("answer", *service.profile("bob"), *TEST, "--once") as bob:
        bob.until("waiting")
        with meeting(service, "--invite", "bob", *TEST) as (alice, _):
            ringing = bob.until("ringing", account="alice")
            assert ringing["people"] == ["alice"]
            alice.until("invitation", account="bob", happened="rings")
            bob.tell("/answer")
            bob.until("joined")
            alice.until("invitation", account="bob", happened="ended", reason="done")
            bob.until("stream_began", account="alice", kind="camera")
            bob.tell("/quit")
            assert bob.end() == 0
            came(alice, "left", account="bob")
            alice.tell("/invite nobody")
            alice.until("invitation", account="nobody", happened="ended", reason="refused")
            alice.tell("/quit")
            assert alice.end() == 0


def test_on_a_terminal_keys_do_it(service: Service) -> None:
    with screen("meet", *service.profile("alice"), "--lobby", "--test", *LOOPBACK) as alice:
        link = alice.after("e2ee join '").partition("'")[0]
        with joining(service, "bob", link, "--voice", *TEST) as bob:
            bob.until("asks")
            alice.until("waits in the lobby")
            alice.press("l\r")
            bob.until("joined")
            alice.until("came in")
            alice.press("thi bub\x7f\x7fob\r")
            assert bob.until("text")["text"] == "hi bob"
            alice.press("rbob\r")
            assert bob.until("ended")["reason"] == "removed"
            assert bob.end() == 1
        alice.press("q")
        alice.until("you have left")
        assert alice.end()[0] == 0


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("https://evil.example/meet/AAAAAAAAAAAAAAAAAAAAAA#AA", "this device's service is"),
        ("hello", "does not begin as"),
        ("", "does not begin as"),
    ],
)
def test_a_link_that_leads_nowhere_is_no_reason_to_go_online(
    service: Service, link: str, why: str
) -> None:
    joined = run("join", "-", *service.profile("alice"), says=link + "\n")
    assert joined.exit_code == 2
    assert why in joined.stderr
