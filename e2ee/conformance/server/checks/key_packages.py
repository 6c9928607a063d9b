"""Whose KeyPackages the service takes, and to whom it gives them (DS-2, DS-12)."""

from __future__ import annotations

from dataclasses import replace

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Device, encoded, publication
from e2ee.conformance.server.faults import claim, expect
from e2ee.conformance.server.rates import limited
from e2ee.conformance.server.stage import Stage
from e2ee.mls.extension import Extension
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.profile.join import join_extension
from e2ee.signalling import messages

DAY = 24 * 3600


@check("DS-2")
async def each_is_handed_out_once(stage: Stage) -> None:
    """Two are published: two claims get one each, the third gets none."""
    alice, bob = await stage.device(), await stage.device(key_packages=2)
    handed_out = [each for _ in range(2) for each in await alice.claim(bob.account)]
    published = {encoded(bundle.key_package) for bundle in bob.bundles}
    expect({encoded(each) for each in handed_out}, published, "KeyPackages that were handed out")
    await alice.refused(messages.Claim(bob.account.id, 1), "NO_KEY_PACKAGES")


@check("DS-2", "DS-29")
async def one_of_each_device(stage: Stage) -> None:
    """A claim gets one KeyPackage of each device that has one, of the suite that it names."""
    bobs, alice = await stage.devices(3), await stage.device()
    await bobs[0].publish_fresh(2)
    await bobs[2].publish_fresh(1)
    found = await alice.ask(messages.Find(bobs[0].account.id), messages.Devices)
    due = {bob.certificate.encode() for bob in (bobs[0], bobs[2])}
    expect(set(found.certificates), due, "devices that are found")
    keys = {each.leaf_node.signature_key for each in await alice.claim(bobs[0].account)}
    expect(keys, {bobs[0].key, bobs[2].key}, "devices whose KeyPackages were handed out")
    await alice.refused(messages.Claim(bobs[0].account.id, 0xF0E2), "NO_KEY_PACKAGES")


@check("DS-2")
async def a_last_resort_stays(stage: Stage) -> None:
    """It is handed out when no other is left, again and again; the newest takes the place of the one before."""
    alice, bob = await stage.device(), await stage.device(key_packages=1)
    former, newest = bob.last_resort(), bob.last_resort()
    await bob.publish(former)
    await bob.publish(newest)
    claimed = [encoded(each) for _ in range(3) for each in await alice.claim(bob.account)]
    single, last = encoded(bob.bundles[0].key_package), encoded(newest.key_package)
    expect(claimed, [single, last, last], "KeyPackages in their order")


async def _refused(device: Device, bundle: KeyPackageBundle, *reasons: str) -> None:
    await device.refused(publication(bundle), *reasons)


@check("DS-2", refused=True)
async def another_device_s(stage: Stage) -> None:
    """Of another device of the account, of another account, or with another certificate than the newest."""
    (alice, tablet), mallory = await stage.devices(2), await stage.device()
    for bundle in (tablet.bundle(), mallory.bundle()):
        await _refused(alice, bundle, "NOT_THIS_DEVICE")
    other = alice.bundle(certificate=alice.certificate_of(roles=1))
    await _refused(alice, other, "NOT_THIS_DEVICE")
    foreign = alice.bundle(certificate=tablet.certificate)
    await _refused(alice, foreign, "BAD_ACCOUNT_SIGNATURE")
    await mallory.refused(messages.Claim(alice.account.id, 1), "NO_KEY_PACKAGES")


@check("DS-29", "DS-2", refused=True)
async def one_that_was_published_before(stage: Stage) -> None:
    """Twice in a request, while it is held, and after it was handed out; with it the others of the request are refused."""
    alice, bob = await stage.device(), await stage.device()
    once, other = bob.bundle(), bob.bundle()
    await bob.refused(publication(once, once), "KEY_PACKAGE_KNOWN")
    await bob.publish(once)
    await bob.refused(publication(other, once), "KEY_PACKAGE_KNOWN")
    expect(len(await alice.claim(bob.account)), 1, "KeyPackages")
    await bob.refused(publication(once), "KEY_PACKAGE_KNOWN")
    await alice.refused(messages.Claim(bob.account.id, 1), "NO_KEY_PACKAGES")


@check("KEYS-21", refused=True)
async def one_that_was_made_to_join(stage: Stage) -> None:
    """A KeyPackage with ``join`` is for a group call alone."""
    alice = await stage.device()
    mark = join_extension(stage.call_id(), stage.now())
    await _refused(alice, alice.bundle(mark), "JOIN_UNEXPECTED")


@check("KEYS-1", "KEYS-8", "KEYS-6", refused=True)
async def one_that_no_call_could_use(stage: Stage) -> None:
    """Of a suite without a pair, out of date, valid for too long, with a signature that does not verify, or bytes that are
    none."""
    alice, now = await stage.device(), stage.now() // 1000
    await _refused(alice, alice.bundle(suite=0x0003), "UNPAIRED_SUITE")
    for begin, end in (
        (-3 * DAY, -2 * DAY),
        (2 * DAY, 3 * DAY),
    ):  # whoever is patient waits for a day
        await _refused(alice, alice.bundle(lifetime=Lifetime(now + begin, now + end)))
    await _refused(alice, alice.bundle(lifetime=Lifetime(now - DAY, now + 31 * DAY)))
    good = alice.bundle()
    spoilt = replace(good.key_package, signature=bytes(64))
    await alice.refused(messages.Publish((encoded(spoilt),)), "KEY_PACKAGE_SIGNATURE")
    for data in (b"", b"\x00\x01\x00\x05", encoded(good.key_package)[:-1]):
        await alice.refused(messages.Publish((data,)))
    await alice.publish(good)


@check("DS-7", refused=True)
async def too_long_or_too_many(stage: Stage) -> None:
    """A KeyPackage of more than 8 KiB, and the 101st of a device."""
    alice = await stage.device()
    long = alice.bundle(Extension(0xFF00, bytes(8 << 10)))
    await _refused(alice, long, "TOO_MANY_BYTES")
    await alice.publish_fresh(60)
    await alice.publish_fresh(40)
    await _refused(alice, alice.bundle(), "TOO_MANY_KEY_PACKAGES")


@check("DS-29", refused=True)
async def of_an_account_that_is_none(stage: Stage) -> None:
    """Who asks for an unknown account is told so."""
    alice = await stage.device()
    for request in (messages.Find("nobody-of-this-name"), messages.Claim("nobody-of-this-name", 1)):
        await alice.refused(request, "UNKNOWN_ACCOUNT")


@check("DS-12")
async def ten_claims_at_once(stage: Stage) -> None:
    """So many for one account are answered, and five for another one."""
    alice, bob, carol = [await stage.device() for _ in range(3)]
    for device, count in ((bob, 10), (carol, 5)):
        await device.publish(device.last_resort())
        refused = await _reasons(alice, messages.Claim(device.account.id, 1), count)
        expect(refused, [], "reasons of refusals")


@check("DS-12", refused=True)
async def claims_have_a_rate(stage: Stage) -> None:
    """10 claims a minute for one account, by whichever of the claimer's devices, and 30 in all; others are not held up."""
    (alice, tablet), carol = await stage.devices(2), await stage.device()
    bobs = [await stage.device() for _ in range(4)]
    for bob in bobs:
        await bob.publish(bob.last_resort())
    of = [messages.Claim(bob.account.id, 1) for bob in bobs]
    await limited(alice, of[0], 10, 60)
    claim("RATE_LIMITED" in await _reasons(tablet, of[0], 8), "its other device claims more")
    claim(await _reasons(carol, of[0], 1) == [], "somebody else's claim was refused")
    limits = [reason for each in of[1:] for reason in await _reasons(tablet, each, 9)]
    claim("RATE_LIMITED" in limits, "more than 30 claims a minute were answered")


async def _reasons(device: Device, request: messages.Claim, count: int) -> list[str]:
    """Claim so often without waiting; for what it was refused."""
    for _ in range(count):
        await device.line.tell(request)
    return [each.reason for each in await device.take() if isinstance(each, messages.Refused)]
