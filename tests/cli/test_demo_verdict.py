"""Each check of the demo fails when the one thing that it looks at is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from e2ee.cli.demo.check import passed
from e2ee.cli.demo.group_report import (
    ForwardedReport,
    GroupReport,
    JoinReport,
    MemberReport,
    RemovedReport,
    SeenReport,
)
from e2ee.cli.demo.report import PeerReport, StreamReport
from e2ee.cli.demo.service_tap import ServiceTap, ServiceTapReport
from e2ee.cli.demo.settings import MEMBERS, MEMBERS_TONES
from e2ee.cli.demo.verdict import Findings, verdict
from e2ee.rtc.measure import Peak
from e2ee.rtc.tap import TapReport
from e2ee.signalling.messages import PublishMedia, Sent

STREAMS = {
    "camera": StreamReport(sent=300, opened=298, rejected={}),
    "microphone": StreamReport(sent=500, opened=490, rejected={}),
    "screen_video": StreamReport(sent=0, opened=0, rejected={}),
}
CALLER = PeerReport(
    role="caller",
    suite=0xF0E2,
    safety_number="1" * 60,
    call_codes={"2": "2" * 60, "3": "3" * 60},
    streams=STREAMS,
    pictures=298,
    psnr=41.0,
    gap_at_epoch_change=0,
    tone=660.2,
    recording="caller.webm",
    memory=100_000_000,
)
CALLEE = replace(CALLER, role="callee", tone=439.9, recording="callee.webm")
TAP = TapReport(frames=800, foreign=0, leaking=0, pictures=3, psnr=8.0, sound=Peak(3000.0, 0.01))
GROUP_CODES = {
    "host": {"0": "0" * 60, "1": "1" * 60, "2": "2" * 60, "3": "3" * 60},
    "guest": {"1": "1" * 60, "2": "2" * 60},
    "latecomer": {"2": "2" * 60, "3": "3" * 60},
}


def member(role: str) -> MemberReport:
    others = [other for other in MEMBERS if other != role]
    seen = {MEMBERS[other]: SeenReport(20, 45.0, MEMBERS_TONES[other], 120, {}) for other in others}
    return MemberReport(role, MEMBERS[role], 0xF0E2, GROUP_CODES[role], seen, sent=200)


GROUP = GroupReport(
    members={role: member(role) for role in MEMBERS},
    joined=JoinReport("lea", after=60, first_frame_after=200),
    removed=RemovedReport("gustav", 40, 290, tried=400, opened_before=200, opened_after=0),
)
GOOD = Findings(
    peers={"caller": CALLER, "callee": CALLEE},
    taps={"caller": TAP, "callee": TAP},
    service=ServiceTapReport(messages=40, bytes=90_000, leaking=0),
    test_media=True,
    group=GROUP,
    forwarded=ForwardedReport(frames=700, leaking=0),
)


def test_a_good_call_passes() -> None:
    assert passed(verdict(GOOD))


def _callee(findings: Findings, **changes: object) -> Findings:
    return replace(
        findings,
        peers={**findings.peers, "callee": replace(CALLEE, **changes)},  # type: ignore[arg-type]
    )


def _tap(findings: Findings, **changes: object) -> Findings:
    return replace(findings, taps={**findings.taps, "callee": replace(TAP, **changes)})  # type: ignore[arg-type]


def _guest(findings: Findings, **changes: object) -> Findings:
    members = {**GROUP.members, "guest": replace(GROUP.members["guest"], **changes)}  # type: ignore[arg-type]
    return replace(findings, group=replace(GROUP, members=members))


def _seen(**changes: object) -> dict[str, SeenReport]:
    seen = GROUP.members["guest"].seen
    return {**seen, "lea": replace(seen["lea"], **changes)}  # type: ignore[arg-type]


def _removed(findings: Findings, **changes: int) -> Findings:
    removed = replace(GROUP.removed, **changes)  # type: ignore[arg-type]
    return replace(findings, group=replace(GROUP, removed=removed))


def _camera(**changes: object) -> dict[str, StreamReport]:
    return {**STREAMS, "camera": replace(STREAMS["camera"], **changes)}  # type: ignore[arg-type]


BROKEN: dict[str, tuple[Callable[[Findings], Findings], str]] = {
    "a machine in the middle": (lambda f: _callee(f, safety_number="9" * 60), "safety numbers"),
    "two groups": (lambda f: _callee(f, call_codes={"2": "2" * 60, "3": "9" * 60}), "call codes"),
    "frames lost": (lambda f: _callee(f, streams=_camera(opened=284)), "callee opened, camera"),
    "nothing sent": (lambda f: _callee(f, streams=_camera(sent=0)), "caller opened, camera"),
    "a screen that nobody shows": (
        lambda f: _callee(
            f, streams={**STREAMS, "screen_video": StreamReport(sent=0, opened=1, rejected={})}
        ),
        "callee opened, screen_video",
    ),
    "a frame rejected": (
        lambda f: _callee(f, streams=_camera(rejected={"NOT_AUTHENTIC": 1})),
        "callee rejected",
    ),
    "a bad picture": (lambda f: _callee(f, psnr=29.9), "callee sees"),
    "no picture": (lambda f: _callee(f, psnr=None), "callee sees"),
    "another tone": (lambda f: _callee(f, tone=445.1), "callee hears"),
    "a gap": (lambda f: _callee(f, gap_at_epoch_change=6), "callee at the epoch change"),
    "no epoch change": (lambda f: _callee(f, gap_at_epoch_change=-1), "callee at the epoch change"),
    "plaintext": (lambda f: _tap(f, leaking=1), "tap before callee: plaintext"),
    "frames that nobody sent": (lambda f: _tap(f, foreign=1), "tap before callee: plaintext"),
    "an empty tap": (lambda f: _tap(f, frames=0), "tap before callee: plaintext"),
    "a picture without keys": (lambda f: _tap(f, psnr=12.0), "tap before callee: picture"),
    "a tone without keys": (
        lambda f: _tap(f, sound=Peak(440.0, 0.9)),
        "tap before callee: tone",
    ),
    "a service that reads": (
        lambda f: replace(f, service=ServiceTapReport(40, 90_000, 1)),
        "delivery service: plaintext",
    ),
    "two groups of three": (
        lambda f: _guest(f, call_codes={**GROUP_CODES["guest"], "2": "9" * 60}),
        "group: call codes",
    ),
    "an epoch with another's code": (
        lambda f: _guest(f, call_codes={"1": "1" * 60, "2": "2" * 60, "4": "3" * 60}),
        "group: call codes",
    ),
    "somebody not seen": (lambda f: _guest(f, seen=_seen(psnr=None)), "guest sees latecomer"),
    "somebody else's tone": (lambda f: _guest(f, seen=_seen(tone=330.0)), "guest hears latecomer"),
    "a unit that reads": (
        lambda f: replace(f, forwarded=ForwardedReport(700, 1)),
        "forwarding unit: plaintext",
    ),
    "a unit that forwards nothing": (
        lambda f: replace(f, forwarded=ForwardedReport(0, 0)),
        "forwarding unit: plaintext",
    ),
    "a removal that removes nothing": (
        lambda f: _removed(f, opened_after=1),
        "guest, afterwards",
    ),
    "a guest that could open nothing anyway": (
        lambda f: _removed(f, opened_before=0),
        "guest, before it was removed",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_fails_its_own_check_and_no_other(name: str) -> None:
    break_it, expected = BROKEN[name]
    failed = [check.name for check in verdict(break_it(GOOD)) if not check.passed]
    assert failed == [expected]


def test_one_epoch_is_not_enough() -> None:
    one = {"2": "2" * 60}
    peers = {role: replace(peer, call_codes=one) for role, peer in GOOD.peers.items()}
    assert not passed(verdict(replace(GOOD, peers=peers)))


def test_with_a_file_only_counts_are_judged() -> None:
    findings = replace(_callee(GOOD, psnr=None, tone=0.0), test_media=False)
    assert passed(verdict(findings))
    assert not passed(verdict(_callee(findings, streams=_camera(opened=0))))


def test_the_service_s_tap_finds_an_encoder_s_bytes_and_descriptions() -> None:
    secret = bytes(range(64))
    tap = ServiceTap()
    for message in (b"sealed" * 10, b"x" + secret[20:36], b"v=0\r\no=- 1 1 IN IP4 0.0.0.0"):
        tap(1, Sent(bytes(16), message))
    report = tap.report([secret])
    assert (report.messages, report.leaking) == (3, 2)


def test_what_is_said_to_the_forwarding_unit_is_the_service_s_to_pass_on() -> None:
    tap = ServiceTap()
    tap(1, PublishMedia(bytes(16), "v=0\r\no=- 1 1 IN IP4 0.0.0.0"))
    assert tap.report([bytes(range(64))]).leaking == 0
