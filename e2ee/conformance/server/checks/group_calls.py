"""A group call while it lasts: pace, messages, trees, and who is gone (DS-18, DS-19, DS-21, DS-24)."""

from __future__ import annotations

import time
from dataclasses import replace

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import SUITE, Device
from e2ee.conformance.server.faults import Fault, Unsupported, claim, expect
from e2ee.conformance.server.meeting import PACE, Meeting, meet
from e2ee.conformance.server.stage import Stage
from e2ee.conformance.server.talk import answered
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.proposal import Remove
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.profile import gone
from e2ee.profile.gone import GoneStatement
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService

GONE_AFTER = 10.0
"""Seconds (DS-19)."""

SOONEST = 9_800
"""Milliseconds before which nobody is gone, by two clocks."""

PACE_WINDOW = 10.2
"""Seconds after which no epoch counts any more (KEYS-25)."""


EPOCHS = 15
"""So many may begin in 10 s (KEYS-25)."""

TOO_SOON, KEPT_PACE = 0.95, 9.8
"""Seconds within which a second commit, and a sixteenth epoch, must be asked for: over a slow line they come too late to be
early."""


@check("DS-6", "DS-16")
async def what_is_said_comes_to_all(stage: Stage) -> None:
    """Each member's message to all others."""
    meeting, devices = await meet(stage, 4)
    for speaker in devices:
        said = await meeting.said(speaker)
        for other in devices:
            if other is not speaker:
                expect(await other.hear(messages.Sent), said, "sent")


@check("DS-18", "DS-28", refused=True)
async def two_commits_within_a_second(stage: Stage) -> None:
    """Whoever sends the second: it is refused with TOO_SOON, and taken a second later."""
    meeting, (alice, bob) = await meet(stage, 2)
    first = meeting.changing(alice)
    meeting.groups[alice.key] = meeting.groups[alice.key].merge(meeting.pending.staged)
    meeting.apply(bob, messages.Committed(meeting.call_id, first.commit))
    of_alice, of_bob = meeting.changing(alice), meeting.changing(bob)  # before time counts
    await alice.line.tell(first)
    began = time.monotonic()
    try:
        await alice.refused(of_alice, "TOO_SOON")
        await bob.refused(of_bob, "TOO_SOON")
    except Fault:
        _in_time(began, TOO_SOON)
        raise
    await stage.pause(PACE)
    await bob.committed(of_bob)


@check("DS-18")
async def a_host_s_removal_waits_for_nothing(stage: Stage) -> None:
    """Right after another commit, if it adds nobody."""
    meeting, (alice, bob, carol) = await meet(stage, 3)
    await meeting.put(alice, meeting.changing(alice))
    await meeting.put(alice, meeting.changing(alice, Remove(meeting.leaf(carol))))
    for _ in range(2):
        await meeting.follow(bob)
    await carol.hear(messages.Committed)
    await carol.hear(messages.Committed)
    await carol.refused(messages.Leave(meeting.call_id), "NOT_A_MEMBER")


async def _removals(stage: Stage, count: int) -> list[str]:
    """A host removes so many devices one after the other without waiting, in a call in which nothing has happened for ten
    seconds; gives for what these commits were refused, and "" for each that was taken."""
    host = await stage.device()
    tablets = [await stage.device(host.account, number) for number in range(2, count + 2)]
    meeting, answers = Meeting(stage), list[str]()
    await meeting.begin(host)
    await meeting.add(host, *tablets)
    await stage.pause(PACE_WINDOW)
    began = time.monotonic()
    for tablet in tablets:
        await host.line.tell(meeting.changing(host, Remove(meeting.leaf(tablet))))
        answer = await host.line.first(_settles, "answer to commit")
        if isinstance(answer, messages.Refused):
            answers.append(answer.reason)
        else:
            answers.append("")
            meeting.groups[host.key] = meeting.groups[host.key].merge(meeting.pending.staged)
    if count > EPOCHS and not answers[-1]:
        _in_time(began, KEPT_PACE)
    return answers


def _in_time(began: float, seconds: float) -> None:
    """Raises Unsupported if so much has passed: what was early was not early any more."""
    took = time.monotonic() - began
    if took > seconds:
        raise Unsupported(f"answers took {took:.1f} s; within {seconds:g} s this can be seen")


def _settles(message: FromService) -> bool:
    return isinstance(message, messages.Committed | messages.Refused)


@check("KEYS-25", "DS-18")
async def fifteen_epochs_in_ten_seconds(stage: Stage) -> None:
    """So many may begin, if all commits are a host's that remove somebody."""
    expect(await _removals(stage, 15), [""] * 15, "reasons of refusals")


@check("KEYS-25", "DS-18", "DS-28", refused=True)
async def a_sixteenth_epoch_in_ten_seconds(stage: Stage) -> None:
    """Whoever commits, and whatever."""
    expect(await _removals(stage, 16), [*[""] * 15, "TOO_SOON"], "reasons of refusals")


async def _gone(device: Device, meeting: Meeting, epoch: int, leaf: int) -> GoneStatement:
    """The statement that comes to a device, which is of this epoch and leaf and verifies."""
    heard = await device.hear(messages.Gone)
    statement = GoneStatement.decode(heard.statement)
    gone.check(statement, meeting.stage.service.delivery_key, meeting.call_id, epoch)
    expect(statement.leaf, leaf, "leaf of the statement")
    now = meeting.stage.now()
    since = abs(now - statement.gone_since)
    claim(since < 60_000, f"gone_since is {since} ms away from now")
    return statement


@check("DS-19", "KEYS-24")
async def who_leaves_is_gone(stage: Stage) -> None:
    """``leave`` is taken; the others get a statement at once, by which any of them removes the leaf."""
    meeting, (alice, bob, carol) = await meet(stage, 3)
    leaf, epoch = meeting.leaf(carol), meeting.groups[bob.key].epoch
    await alice.take()
    await carol.accepted(messages.Leave(meeting.call_id))
    await _gone(alice, meeting, epoch, leaf)
    statement = await _gone(bob, meeting, epoch, leaf)
    await meeting.put(bob, meeting.by_statements(bob, statement))
    await meeting.follow(alice)


@check("KEYS-20", "KEYS-24", refused=True)
async def a_removal_without_the_service_s_word(stage: Stage) -> None:
    """By a member that is no host: with no statement, a forged one, one for another leaf, or one of an earlier epoch."""
    meeting, (alice, bob, carol) = await meet(stage, 3)
    await carol.accepted(messages.Leave(meeting.call_id))
    epoch, leaf = meeting.groups[bob.key].epoch, meeting.leaf(carol)
    statement = await _gone(bob, meeting, epoch, leaf)
    await bob.refused(meeting.changing(bob, Remove(leaf)), "MAY_NOT_REMOVE")
    for other, reason in (
        (replace(statement, signature=bytes(64)), "BAD_GONE_SIGNATURE"),
        (replace(statement, leaf=meeting.leaf(alice)), "BAD_GONE_SIGNATURE"),
        (replace(statement, epoch=epoch + 1), "GONE_ELSEWHERE"),
    ):
        await bob.refused(meeting.by_statements(bob, other), reason)
    await meeting.put(alice, meeting.changing(alice))
    await meeting.follow(bob)
    await _gone(bob, meeting, epoch + 1, leaf)
    await stage.pause(PACE)
    await bob.refused(meeting.by_statements(bob, statement), "GONE_ELSEWHERE")


@check("DS-19", "KEYS-24")
async def who_is_away_for_ten_seconds_is_gone(stage: Stage) -> None:
    """Not sooner; and the statement says since when."""
    meeting, (alice, bob) = await meet(stage, 2)
    left = stage.now()
    await bob.leave()
    await stage.pause(GONE_AFTER - 3)
    early = [each for each in await alice.take() if isinstance(each, messages.Gone)]
    claim(not early or stage.now() - left >= SOONEST, "bob was said to be gone within 7 s")
    statement = await _gone(alice, meeting, meeting.groups[alice.key].epoch, meeting.leaf(bob))
    said = stage.now() - left
    claim(said >= SOONEST, f"bob was said to be gone after {said} ms")
    since = statement.gone_since - left
    claim(abs(since) < 5_000, f"gone_since is {since} ms from when the connection ended")


@check("DS-19", refused=True)
async def who_is_back_in_time_is_not_gone(stage: Stage) -> None:
    """Away for 2 s: nobody is told that it is gone, also not later, and it goes on in its epoch."""
    meeting, (alice, bob) = await meet(stage, 2)
    await bob.leave()
    await stage.pause(2)
    await bob.come_back()
    await stage.pause(GONE_AFTER)
    heard = [each for each in await alice.take() if isinstance(each, messages.Gone)]
    expect(heard, [], "statements")
    expect(await meeting.said(bob), await alice.hear(messages.Sent), "sent")


@check("DS-24", "DS-19", refused=True)
async def who_is_gone_asks_in_vain(stage: Stage) -> None:
    """After ``leave`` it says nothing more, commits nothing, gets nothing of what is said, and may join anew."""
    meeting, (alice, bob) = await meet(stage, 2)
    await bob.accepted(messages.Leave(meeting.call_id))
    await bob.refused(meeting.say(bob), "GONE")
    await bob.refused(meeting.changing(bob), "GONE")
    await bob.refused(messages.AskTree(meeting.call_id, 1, 0), "GONE")
    await meeting.said(alice)
    await stage.quiet()
    heard = [each for each in await bob.take() if isinstance(each, messages.Sent)]
    expect(heard, [], "what came to who is gone")
    leaf, former = meeting.leaf(bob), meeting.groups.pop(bob.key)
    claim(former.own_leaf_index == leaf, "leaf")
    bundle = await meeting.asks(bob)
    await meeting.put(alice, meeting.adding(alice, bundle, contents=[Remove(leaf)]))
    await meeting.comes_in(bob, bundle)
    expect(await meeting.said(bob), await alice.hear(messages.Sent), "sent")


@check("DS-21")
async def the_tree_of_an_epoch(stage: Stage) -> None:
    """A member gets the newest tree and that of the epoch before: the encoding of a ratchet tree, of the size that is said."""
    meeting, (alice, bob) = await meet(stage, 2)
    epoch = meeting.groups[alice.key].epoch
    await meeting.put(alice, meeting.changing(alice))
    for number, device in ((epoch + 1, bob), (epoch, alice)):
        request = messages.AskTree(meeting.call_id, number, 0)
        tree = await device.ask(request, messages.Tree)
        expect((tree.call_id, tree.epoch, tree.offset), (meeting.call_id, number, 0), "tree")
        expect(tree.size, len(tree.data), "size of a small tree")
        RatchetTree.decode(cipher_suite(SUITE), tree.data)
        part = await device.ask(replace(request, offset=7), messages.Tree)
        expect((part.data, part.size), (tree.data[7:], tree.size), "the tree from byte 7 on")


@check("DS-21", refused=True)
async def a_tree_that_is_not_for_everybody(stage: Stage) -> None:
    """A stranger, who joined later, beyond the end of the tree, and an epoch that has not begun."""
    meeting, (alice,) = await meet(stage, 1)
    bob, mallory = await stage.device(alice.account, 2), await stage.device()
    await meeting.add(alice, bob)
    size = (await alice.ask(messages.AskTree(meeting.call_id, 1, 0), messages.Tree)).size
    await mallory.refused(messages.AskTree(meeting.call_id, 1, 0), "NOT_A_MEMBER")
    await bob.refused(messages.AskTree(meeting.call_id, 0, 0), "NO_TREE", "NOT_A_MEMBER")
    await alice.refused(messages.AskTree(meeting.call_id, 1, size + 1), "NO_TREE")
    await alice.refused(messages.AskTree(meeting.call_id, 9, 0), "NO_TREE")


@check("DS-16", refused=True)
async def a_call_between_two_is_no_group_call(stage: Stage) -> None:
    """What there is only in group calls."""
    talk, alice, _ = await answered(stage)
    for request in (
        messages.AskTree(talk.call_id, 1, 0),
        messages.Leave(talk.call_id),
        messages.Join(talk.call_id, b"key package"),
        messages.ReportInvalid(talk.call_id, 1),
        messages.TurnAway(talk.call_id, bytes(32)),
    ):
        await alice.refused(request, "NOT_A_GROUP_CALL")


@check("DS-7", refused=True)
async def a_message_that_is_too_large(stage: Stage) -> None:
    """More than 68 KiB in a group call."""
    meeting, (alice, bob) = await meet(stage, 2)
    await alice.refused(meeting.say(alice, bytes(69 << 10)), "TOO_MANY_BYTES")
    said = await meeting.said(alice, bytes(64 << 10))
    expect(await bob.hear(messages.Sent), said, "sent")


@check("DS-6", "DS-16", refused=True)
async def outsiders_of_a_meeting(stage: Stage) -> None:
    """A stranger and a removed member say and commit nothing."""
    meeting, (alice, bob) = await meet(stage, 2)
    mallory = await stage.device()
    said, commit = meeting.say(alice), meeting.changing(alice)
    for request in (said, commit, messages.Leave(meeting.call_id)):
        await mallory.refused(request, "NOT_A_MEMBER")
    late = meeting.say(bob)
    await meeting.put(alice, meeting.changing(alice, Remove(meeting.leaf(bob))))
    await bob.hear(messages.Committed)
    await bob.refused(late, "NOT_A_MEMBER")
    await stage.quiet()
    expect(await alice.take(), [], "what came to the member")
