"""New certificates for the devices of one's account (IDENT-16, DS-13)."""

from __future__ import annotations

from dataclasses import replace

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Device
from e2ee.conformance.server.faults import claim, expect
from e2ee.conformance.server.stage import Stage
from e2ee.identity.device_certificate import Attestation, DeviceCertificate
from e2ee.signalling import messages

DAY = 24 * 3600


def _later(device: Device, days: int = 1) -> DeviceCertificate:
    """The device's certificate, valid for so much longer."""
    statement = device.certificate.statement
    begin, end = statement.not_before + days * DAY, statement.not_after + days * DAY
    return device.certificate_of(not_before=begin - days * DAY // 2, not_after=end)


def _renewal(device: Device, certificate: DeviceCertificate) -> messages.Renew:
    return messages.Renew(device.key, certificate.encode())


@check("DS-13")
async def it_comes_to_a_device_that_is_there(stage: Stage) -> None:
    """The primary renews another device: the primary is answered, the device gets its certificate."""
    primary, tablet = await stage.devices(2)
    newer = _later(tablet)
    renewed = await primary.ask(_renewal(tablet, newer), messages.Renewed)
    expect(renewed.signature_key, tablet.key, "signature_key")
    expect((await tablet.hear(messages.Certificate)).certificate, newer.encode(), "certificate")


@check("DS-13", "DS-9")
async def it_waits_for_a_device_that_is_away(stage: Stage) -> None:
    """A device that comes back with its old certificate is logged in, and finds the new one in its mailbox."""
    primary, tablet = await stage.devices(2)
    await tablet.leave()
    newer = _later(tablet)
    await primary.ask(_renewal(tablet, newer), messages.Renewed)
    arrived = await tablet.reconnect()
    expect(arrived, [messages.Certificate(newer.encode())], "what waited")


@check("DS-13")
async def a_device_renews_itself(stage: Stage) -> None:
    """It is answered, and gets no certificate: it has it."""
    device = await stage.device()
    arrived = await device.send(_renewal(device, _later(device)))
    expect(arrived, [messages.Renewed(device.key)], "what came")


@check("DS-13")
async def what_says_nothing_new(stage: Stage) -> None:
    """The same certificate again, and with another attestation at its end, is answered and goes to nobody."""
    primary, tablet = await stage.devices(2)
    altered = replace(tablet.certificate, attestation=Attestation(9, 1, bytes(64)))
    for certificate in (tablet.certificate, altered):
        await primary.ask(_renewal(tablet, certificate), messages.Renewed)
    await stage.quiet()
    expect(await tablet.take(), [], "what came to the device")
    found = await primary.ask(messages.Find(primary.account.id), messages.Devices)
    claim(altered.encode() not in found.certificates, "the altered end took the place")


@check("DS-13", refused=True)
async def a_certificate_that_is_older(stage: Stage) -> None:
    """After a renewal: one that ends earlier, and after a higher generation one of the lower."""
    primary, tablet = await stage.devices(2)
    former, newer = tablet.certificate, _later(tablet)
    await primary.ask(_renewal(tablet, newer), messages.Renewed)
    await primary.refused(_renewal(tablet, former), "NOT_NEWER")
    raised = primary.certificate_of(generation=1)
    await primary.ask(_renewal(primary, raised), messages.Renewed)
    await primary.refused(_renewal(tablet, _later(tablet, 2)), "REVOKED", "NOT_NEWER")


@check("DS-13", refused=True)
async def a_device_that_is_not_one_s_own(stage: Stage) -> None:
    """Of another account, of a key that never logged in, or under a signature that does not verify."""
    alice, mallory = await stage.device(), await stage.device()
    await mallory.refused(_renewal(alice, _later(alice)), "WRONG_ACCOUNT_KEY")
    unknown = await stage.stranger(mallory.account, 2)
    await mallory.refused(_renewal(unknown, unknown.certificate), "UNKNOWN_DEVICE")
    forged = replace(_later(mallory), account_signature=bytes(64))
    await mallory.refused(_renewal(mallory, forged), "BAD_ACCOUNT_SIGNATURE")
    await stage.quiet()
    expect(await alice.take(), [], "what came to the other account's device")


@check("DS-13", "DS-1")
async def the_generation_is_raised(stage: Stage) -> None:
    """The primary renews itself with a higher generation: the other loses its session, is renewed, and comes back."""
    primary, tablet = await stage.devices(2)
    await primary.ask(_renewal(primary, primary.certificate_of(generation=1)), messages.Renewed)
    await tablet.shut_out("REVOKED")
    newer = tablet.certificate_of(generation=1)
    await primary.ask(_renewal(tablet, newer), messages.Renewed)
    arrived = await tablet.reconnect()
    expect(arrived, [messages.Certificate(newer.encode())], "what waited")


@check("DS-2")
async def key_packages_outlive_new_dates(stage: Stage) -> None:
    """After a renewal of the dates alone, KeyPackages of before are handed out."""
    device, caller = await stage.device(key_packages=1), await stage.device()
    await device.ask(_renewal(device, _later(device)), messages.Renewed)
    expect(len(await caller.claim(device.account)), 1, "KeyPackages")


@check("DS-2", refused=True)
async def key_packages_of_another_certificate(stage: Stage) -> None:
    """After a renewal that says something else, those of before are handed out no more, and none with it is taken."""
    device, caller = await stage.device(key_packages=1), await stage.device()
    other = device.certificate_of(suites=(1, 0xF0E2))
    await device.ask(_renewal(device, other), messages.Renewed)
    await caller.refused(messages.Claim(device.account.id, 1), "NO_KEY_PACKAGES")
    device.certificate = other
    await device.publish_fresh(1)
    expect(len(await caller.claim(device.account)), 1, "KeyPackages")
