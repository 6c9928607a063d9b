"""A commit that most of the others cannot follow is taken out of the log (DS-20, GROUP-20)."""

from __future__ import annotations

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Device
from e2ee.conformance.server.faults import expect
from e2ee.conformance.server.meeting import Meeting, meet
from e2ee.conformance.server.stage import Stage
from e2ee.mls.proposal import Remove
from e2ee.signalling import messages


async def _poisoned(
    meeting: Meeting, committer: Device, *contents: Remove
) -> tuple[messages.ReportInvalid, messages.Voided]:
    """A commit that is in the log, of which the others will say that they cannot follow it; the service cannot tell."""
    epoch = meeting.groups[committer.key].epoch
    await committer.committed(meeting.changing(committer, *contents))
    call_id = meeting.call_id
    return messages.ReportInvalid(call_id, epoch), messages.Voided(call_id, epoch)


@check("DS-20")
async def more_than_half_of_the_others_say_so(stage: Stage) -> None:
    """Two of three: all are told ``voided``, the committer's connection is closed, and the epoch gets another commit."""
    meeting, (alice, bob, carol, dave) = await meet(stage, 4)
    report, voided = await _poisoned(meeting, alice)
    await bob.accepted(report)
    await carol.accepted(report)
    for device in (alice, bob, carol, dave):
        expect(await device.hear(messages.Voided), voided, "voided")
    await alice.line.closed()
    await stage.pause(1.1)
    await meeting.put(bob, meeting.changing(bob))
    await carol.hear(messages.Committed)
    await meeting.follow(carol)


@check("DS-20", "DS-19", "DS-24")
async def the_committer_joins_anew(stage: Stage) -> None:
    """It has applied its commit, and is gone until somebody adds it again."""
    meeting, (alice, bob) = await meet(stage, 2)
    report, voided = await _poisoned(meeting, alice)
    await bob.accepted(report)
    expect(await bob.hear(messages.Voided), voided, "voided")
    await alice.line.closed()
    await alice.come_back()
    await alice.refused(meeting.say(alice), "GONE")
    bundle = await meeting.asks(alice)
    del meeting.groups[alice.key]
    await stage.pause(1.1)
    await meeting.put(bob, meeting.adding(bob, bundle, contents=[Remove(0)]))
    await meeting.comes_in(alice, bundle)
    expect(await meeting.said(alice), await bob.hear(messages.Sent), "sent")


@check("DS-20", refused=True)
async def half_of_the_others_say_so(stage: Stage) -> None:
    """One of two, and that one twice: the commit stays, and the call goes on with it."""
    meeting, (alice, bob, carol) = await meet(stage, 3)
    report, _ = await _poisoned(meeting, alice)
    for _ in range(2):
        await bob.accepted(report)
    await stage.quiet()
    heard = [each for each in await carol.take() if isinstance(each, messages.Voided)]
    expect(heard, [], "what the others were told")
    await carol.ask(meeting.say(carol), messages.Stored)


@check("DS-20", refused=True)
async def whose_word_does_not_count(stage: Stage) -> None:
    """The committer's own, who is removed by it, a stranger's, and a report of an epoch without a commit."""
    meeting, (alice, bob, carol, _) = await meet(stage, 4)
    epoch = meeting.groups[bob.key].epoch
    await bob.refused(messages.ReportInvalid(meeting.call_id, epoch))  # no sentence has a reason
    report, _ = await _poisoned(meeting, alice, Remove(meeting.leaf(carol)))
    await alice.refused(report, "OWN_COMMIT")
    await carol.refused(report, "NOT_A_MEMBER")
    await (await stage.device()).refused(report, "NOT_A_MEMBER")
    await stage.quiet()
    heard = [each for each in await bob.take() if isinstance(each, messages.Voided)]
    expect(heard, [], "what the others were told")


@check("DS-20", refused=True)
async def a_report_after_five_seconds(stage: Stage) -> None:
    """It is too late, and the commit stays."""
    meeting, (alice, bob) = await meet(stage, 2)
    report, _ = await _poisoned(meeting, alice)
    await stage.pause(5.5)
    await bob.refused(report, "TOO_LATE")
    heard = [each for each in await alice.take() if isinstance(each, messages.Voided)]
    expect(heard, [], "what the committer was told")
