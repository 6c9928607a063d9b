"""Letters go to the devices of the KeyPackages that they name, or to nobody (DS-14, LETTER-1)."""

from __future__ import annotations

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Device
from e2ee.conformance.server.faults import claim, expect
from e2ee.conformance.server.rates import limited
from e2ee.conformance.server.stage import Stage
from e2ee.mls.leaf_node import Lifetime
from e2ee.signalling import messages


async def _posted(device: Device, *keys: bytes, content: bytes = b"content") -> None:
    stored = await device.ask(messages.Post(keys, content), messages.Stored)
    expect(stored, messages.Stored("post", None), "stored")


@check("DS-14", "DS-9")
async def each_device_gets_its_key(stage: Stage) -> None:
    """Two devices of the receiver, one of them away, get their own key and the content; nobody gets another's."""
    alice, bobs = await stage.device(), await stage.devices(2, key_packages=1)
    key_packages = await alice.claim(bobs[0].account)
    await bobs[1].leave()
    keys = {each.leaf_node.signature_key: alice.letter_key(each) for each in key_packages}
    await _posted(alice, *keys.values())
    here = messages.Letter(keys[bobs[0].key], b"content")
    expect(await bobs[0].hear(messages.Letter), here, "letter")
    waiting = messages.Letter(keys[bobs[1].key], b"content")
    expect(await bobs[1].reconnect(), [waiting], "what waited")
    expect(await bobs[0].take(), [], "what else came")


@check("DS-14")
async def a_key_package_that_nobody_was_given(stage: Stage) -> None:
    """One that the service holds names its device as well, and is handed out afterwards."""
    alice, bob = await stage.device(), await stage.device(key_packages=1)
    key = alice.letter_key(bob.bundles[0].key_package)
    await _posted(alice, key)
    expect(await bob.hear(messages.Letter), messages.Letter(key, b"content"), "letter")
    expect(len(await alice.claim(bob.account)), 1, "KeyPackages")


@check("DS-14", refused=True)
async def a_letter_for_somebody_unknown(stage: Stage) -> None:
    """One key of two names no device, or an expired KeyPackage, or nothing: nobody gets the letter."""
    alice, bob = await stage.device(), await stage.device(key_packages=1)
    seconds = stage.now() // 1000
    short = bob.bundle(lifetime=Lifetime(seconds - 3600, seconds + 2))
    await bob.publish(short)
    known = alice.letter_key(bob.bundles[0].key_package)
    unknown = alice.letter_key(bob.bundle().key_package)
    await stage.pause(4)
    for key in (unknown, alice.letter_key(short.key_package)):
        await alice.refused(messages.Post((known, key), b"content"), "UNKNOWN_KEY_PACKAGE")
    for key in (b"", b"\x20", b"\xc0" + bytes(40)):
        await alice.refused(messages.Post((known, key), b"content"))
    await alice.refused(messages.Post((), b"content"), "NO_RECEIVER")
    await stage.quiet()
    expect(await bob.take(), [], "what came to the known device")


@check("DS-7", refused=True)
async def a_letter_that_is_too_large(stage: Stage) -> None:
    """129 keys, a key of more than 4 KiB, a content of more than 520 KiB."""
    alice, bob = await stage.device(), await stage.device(key_packages=1)
    key = alice.letter_key(bob.bundles[0].key_package)
    await alice.refused(messages.Post((key,) * 129, b""), "TOO_MANY_RECEIVERS")
    long = alice.letter_key(bob.bundles[0].key_package, bytes(4 << 10))
    await alice.refused(messages.Post((long,), b""), "TOO_MANY_BYTES")
    await alice.refused(messages.Post((key,), bytes((520 << 10) + 1)), "TOO_MANY_BYTES")
    await _posted(alice, key, content=bytes(520 << 10))
    await bob.hear(messages.Letter)


@check("DS-7", refused=True)
async def letters_have_a_rate(stage: Stage) -> None:
    """10 letters a minute to one account; letters to another one, and of another one, are taken."""
    alice, carol = await stage.device(), await stage.device()
    bob, dave = await stage.device(key_packages=1), await stage.device(key_packages=1)
    to_bob, to_dave = (alice.letter_key(each.bundles[0].key_package) for each in (bob, dave))
    await limited(alice, messages.Post((to_bob,), b"content"), 10, 60)
    await _posted(alice, to_dave)
    await _posted(carol, to_bob)
    await stage.quiet()
    heard = [each for each in await bob.take() if isinstance(each, messages.Letter)]
    claim(len(heard) >= 11, f"{len(heard)} letters came, and 11 were taken")
