"""Bounds and rates that take many requests to reach (DS-7)."""

from __future__ import annotations

import contextlib

from e2ee.conformance.server.check import check
from e2ee.conformance.server.faults import Lost
from e2ee.conformance.server.meeting import meet
from e2ee.conformance.server.rates import limited
from e2ee.conformance.server.stage import Stage
from e2ee.conformance.server.talk import answered
from e2ee.signalling import messages

MESSAGES, EXCESS = 2_000, 1_000
"""What a connection may bring in 20 s, and how many more it may be refused."""


@check("DS-7", refused=True, slow=True)
async def messages_of_a_connection(stage: Stage) -> None:
    """More than 2,000 in 20 s are refused, and who sends 1,000 more is disconnected; another connection goes on."""
    mallory, alice = await stage.device(), await stage.device()
    asked = messages.Find(alice.account.id)
    await limited(mallory, asked, MESSAGES - 50, 20)  # some were the login's
    with contextlib.suppress(Lost):
        for _ in range(10 * EXCESS):
            await mallory.line.tell(asked)
    await mallory.line.closed()
    await alice.ask(asked, messages.Devices)


@check("DS-7", refused=True, slow=True)
async def devices_of_an_account(stage: Stage) -> None:
    """64 devices log in, the 65th is refused; when the account has revoked the others there is room."""
    first = await stage.device()
    for number in range(2, 65):
        device = await stage.device(first.account, number)
        await device.leave()
    last = await stage.stranger(first.account, 65)
    welcome = await last.hello()
    await last.refused(last.proof(welcome.server_nonce), "TOO_MANY_DEVICES")
    raised = first.certificate_of(generation=1)
    await first.ask(messages.Renew(first.key, raised.encode()), messages.Renewed)
    await last.login(last.certificate_of(generation=1))


@check("DS-7", refused=True, slow=True)
async def commits_of_an_account(stage: Stage) -> None:
    """240 commits a minute, taken or refused."""
    talk, alice, _ = await answered(stage)
    late = talk.request(alice)
    await talk.commits(alice)
    await limited(alice, late, 238, 60)  # two were taken before


@check("DS-7", refused=True, slow=True)
async def parts_of_trees(stage: Stage) -> None:
    """60 parts of trees of an account in a minute."""
    meeting, (alice,) = await meet(stage, 1)
    request = messages.AskTree(meeting.call_id, 0, 0)
    await limited(alice, request, 60, 60)
