"""Whether the group showed what it is to show: the checks of the demo's second part."""

from __future__ import annotations

from collections.abc import Iterator

from e2ee.cli.demo.check import MIN_PSNR, TONE_TOLERANCE, Check
from e2ee.cli.demo.group_report import ForwardedReport, GroupReport, MemberReport
from e2ee.cli.demo.settings import MEMBERS, MEMBERS_TONES

__all__ = ["group_verdict"]


def group_verdict(group: GroupReport, forwarded: ForwardedReport) -> Iterator[Check]:
    """Every check, in the order of the group's life."""
    yield _codes(group)
    for member in group.members.values():
        yield from _received(member)
    yield Check(
        "forwarding unit: plaintext",
        forwarded.frames > 0 and not forwarded.leaking,
        "in 0 frames",
        f"in {forwarded.leaking} of {forwarded.frames}",
    )
    yield from _removed(group)


def _codes(group: GroupReport) -> Check:
    """Whoever was in an epoch had its code: one before somebody came, one after, one after somebody was removed."""
    codes: dict[str, set[str]] = {}
    for member in group.members.values():
        for epoch, code in member.call_codes.items():
            codes.setdefault(epoch, set()).add(code)
    same = all(len(each) == 1 for each in codes.values())
    distinct = len({code for each in codes.values() for code in each}) == len(codes)
    found = f"{len(codes)} epochs, {'equal' if same else 'different'}"
    return Check(
        "group: call codes",
        same and distinct and len(codes) > 2,
        "equal in 3 epochs or more",
        found,
    )


def _received(member: MemberReport) -> Iterator[Check]:
    for role, account in MEMBERS.items():
        if role == member.role:
            continue
        seen = member.seen.get(account)
        quality = 0.0 if seen is None else seen.psnr or 0.0
        found = f"{quality:.1f} dB"
        yield Check(
            f"{member.role} sees {role}", quality >= MIN_PSNR, f"{MIN_PSNR:.0f} dB or better", found
        )
        tone, heard = MEMBERS_TONES[role], 0.0 if seen is None else seen.tone
        close = abs(heard - tone) <= TONE_TOLERANCE
        yield Check(f"{member.role} hears {role}", close, f"{tone:.0f} Hz", f"{heard:.1f} Hz")


def _removed(group: GroupReport) -> Iterator[Check]:
    removed = group.removed
    before = f"{removed.opened_before} of {removed.tried}"
    yield Check("guest, before it was removed", removed.opened_before > 0, "opens frames", before)
    after = f"{removed.opened_after}, from {removed.can_open_until} ms after its removal on"
    yield Check("guest, afterwards", removed.opened_after == 0, "opens 0", after)
