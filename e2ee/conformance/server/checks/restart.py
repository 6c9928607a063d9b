"""What was answered survives the end of the service's process (DS-9, DS-10)."""

from __future__ import annotations

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import encoded
from e2ee.conformance.server.faults import expect
from e2ee.conformance.server.meeting import meet
from e2ee.conformance.server.stage import Stage
from e2ee.conformance.server.talk import answered
from e2ee.signalling import messages


@check("DS-9", "DS-10", restarts=True)
async def mailboxes_and_calls(stage: Stage) -> None:
    """What was stored for a device that was away is there, under its numbers, and both calls go on where their logs end."""
    talk, alice, (bob,) = await answered(stage)
    meeting, (host, member) = await meet(stage, 2)
    await bob.accepted(messages.Acknowledge(max(bob.line.numbers)))
    last = max(bob.line.numbers)
    await bob.leave()
    said = [await talk.said(alice, b"kept") for _ in range(3)]
    entry = await talk.commits(alice)
    await stage.restart()
    arrived = [each for each in await bob.reconnect() if not isinstance(each, messages.Presence)]
    expect(arrived, [*said, entry], "what waited")
    expect(bob.line.numbers, [last + number for number in range(1, 5)], "its numbers")
    talk.apply(bob, entry)
    await alice.come_back()
    await talk.commits(bob)
    await host.come_back()
    await member.come_back()
    await meeting.put(host, meeting.changing(host))
    expect(await meeting.said(host), await member.hear(messages.Sent), "sent")


@check("DS-2", "DS-3", "DS-1", restarts=True, refused=True)
async def what_was_used_stays_used(stage: Stage) -> None:
    """A KeyPackage that was handed out, a ``call_id`` that was opened, and a generation that was raised."""
    talk, alice, (bob,) = await answered(stage)
    (primary, lost) = await stage.devices(2)
    used, former = bob.bundles[0], lost.certificate
    primary.certificate = primary.certificate_of(generation=1)
    await primary.login()
    await stage.restart()
    await alice.come_back()
    await alice.refused(messages.Claim(bob.account.id, 1), "NO_KEY_PACKAGES")
    await bob.come_back()
    await bob.refused(messages.Publish((encoded(used.key_package),)), "KEY_PACKAGE_KNOWN")
    profile = talk.profile(alice.account, bob.account)
    await alice.refused(talk.opening(alice, profile), "CALL_ID_USED")
    lost.line = await stage.line()
    welcome = await lost.hello()
    await lost.refused(lost.proof(welcome.server_nonce, former), "REVOKED")
