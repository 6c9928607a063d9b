"""Whether a demo showed what it is to show: one table of checks over what both sides and the taps found.

The demo's exit status is 0 exactly if every check passed. With a file as media there is no picture to compare with,
so only what is counted is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from e2ee.cli.demo.check import MIN_PSNR, TONE_TOLERANCE, Check
from e2ee.cli.demo.group_report import ForwardedReport, GroupReport
from e2ee.cli.demo.group_verdict import group_verdict
from e2ee.cli.demo.report import PeerReport
from e2ee.cli.demo.service_tap import ServiceTapReport
from e2ee.cli.demo.settings import PEER_OF, TONES
from e2ee.rtc.measure import is_tone
from e2ee.rtc.tap import TapReport

__all__ = ["Findings", "verdict"]

MIN_OPENED = 0.95
MAX_GAP = 5
MAX_TAPPED_PSNR = 12.0

SENT = frozenset({"camera", "microphone"})
"""The streams on which both sides send. The others are negotiated (CODEC-7), and nothing may come of them."""


@dataclass(frozen=True)
class Findings:
    """All that was found out."""

    peers: dict[str, PeerReport]
    """By role."""
    taps: dict[str, TapReport]
    """By the role of the receiver: what somebody had of the frames on their way to it."""
    service: ServiceTapReport
    test_media: bool
    """Whether the test picture and the tones were sent, and not a file."""
    group: GroupReport
    forwarded: ForwardedReport


def verdict(findings: Findings) -> tuple[Check, ...]:
    """Every check, in the order of a call's life."""
    caller, callee = findings.peers["caller"], findings.peers["callee"]
    checks = [
        _equal("safety numbers", caller.safety_number, callee.safety_number),
        _codes(caller, callee),
        *_frames(findings),
        *_taps(findings),
        _service(findings.service),
    ]
    if findings.test_media:
        checks[-1:-1] = [*_received(findings), *_decoded_without_keys(findings)]
    return (*checks, *group_verdict(findings.group, findings.forwarded))


def _equal(name: str, one: str, other: str) -> Check:
    same = bool(one) and one == other
    return Check(name, same, "equal", "equal" if same else "different")


def _codes(caller: PeerReport, callee: PeerReport) -> Check:
    """One code for each epoch of the call, which is at least one before and one after the change."""
    same = caller.call_codes == callee.call_codes
    found = f"{len(caller.call_codes)} epochs, " + ("equal" if same else "different")
    return Check(
        "call codes", same and len(caller.call_codes) > 1, "equal in 2 epochs or more", found
    )


def _frames(findings: Findings) -> Iterator[Check]:
    for role, report in findings.peers.items():
        sender = findings.peers[PEER_OF[role]]
        for kind, stream in report.streams.items():
            sent = sender.streams[kind].sent
            if kind in SENT:
                right = sent > 0 and stream.opened >= MIN_OPENED * sent
                wanted = f"{MIN_OPENED:.0%} or more"
            else:
                right, wanted = sent == stream.opened == 0, "none: nobody sends it"
            yield Check(f"{role} opened, {kind}", right, wanted, f"{stream.opened} of {sent}")
        rejected = sum(sum(stream.rejected.values()) for stream in report.streams.values())
        yield Check(f"{role} rejected", rejected == 0, "0", str(rejected))


def _received(findings: Findings) -> Iterator[Check]:
    for role, report in findings.peers.items():
        quality = report.psnr or 0.0
        yield Check(
            f"{role} sees", quality >= MIN_PSNR, f"{MIN_PSNR:.0f} dB or better", f"{quality:.1f} dB"
        )
        tone = TONES[PEER_OF[role]]
        close = abs(report.tone - tone) <= TONE_TOLERANCE
        yield Check(f"{role} hears", close, f"{tone:.0f} Hz", f"{report.tone:.1f} Hz")
        gap = report.gap_at_epoch_change
        smooth = 0 <= gap <= MAX_GAP
        yield Check(
            f"{role} at the epoch change", smooth, f"{MAX_GAP} pictures missing or fewer", str(gap)
        )


def _taps(findings: Findings) -> Iterator[Check]:
    for role, tap in findings.taps.items():
        yield Check(
            f"tap before {role}: plaintext",
            tap.frames > 0 and tap.leaking == 0 and tap.foreign == 0,
            "in 0 frames",
            f"in {tap.leaking} of {tap.frames}",
        )


def _decoded_without_keys(findings: Findings) -> Iterator[Check]:
    for role, tap in findings.taps.items():
        quality = tap.psnr or 0.0
        yield Check(
            f"tap before {role}: picture",
            quality < MAX_TAPPED_PSNR,
            f"below {MAX_TAPPED_PSNR:.0f} dB",
            f"{quality:.1f} dB" if tap.pictures else "none",
        )
        heard = is_tone(tap.sound, TONES[PEER_OF[role]])
        yield Check(
            f"tap before {role}: tone", not heard, "not found", "found" if heard else "not found"
        )


def _service(tap: ServiceTapReport) -> Check:
    found = f"in {tap.leaking} of {tap.messages}"
    return Check(
        "delivery service: plaintext", tap.messages > 0 and not tap.leaking, "in 0 messages", found
    )
