"""What is a message, and what becomes of what is none (chapter Signalling)."""

from __future__ import annotations

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import VERSION, Device
from e2ee.conformance.server.faults import claim, expect
from e2ee.conformance.server.stage import Stage
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService

CLAIM = bytes.fromhex("93a5636c61696da3626f62cdf0e2")
"""claim("bob", 0xf0e2)."""


async def _each_refused(device: Device, *damaged: tuple[str, bytes]) -> None:
    """Each of these (reason, bytes) is answered with ``refused``, and the connection goes on."""
    for reason, data in damaged:
        arrived = await device.send(data)
        refusals = [each for each in arrived if isinstance(each, messages.Refused)]
        claim(len(refusals) == 1, f"{data[:40].hex()} was not refused ({reason})")
        expect(refusals[0].request, "", "request of the refusal of bytes that are no message")
        if refusals[0].reason != reason:
            device.stage.other_reasons.append(f"{refusals[0].reason} in place of {reason}")


@check("SIG-1", "SIG-2")
async def a_message(stage: Stage) -> None:
    """A request in its one encoding is read and answered."""
    alice = await stage.device(key_packages=1)
    answer = await alice.ask(messages.Find(alice.account.id), messages.Devices)
    expect(answer.certificates, (alice.certificate.encode(),), "certificates")


@check("SIG-1", "SIG-5", refused=True)
async def another_encoding_of_a_message(stage: Stage) -> None:
    """A claim with its array, its name, its text or its number in a longer form."""
    device = await stage.device()
    parts = CLAIM[:1], CLAIM[1:7], CLAIM[7:11], CLAIM[11:]
    array, name, text, number = parts
    await _each_refused(
        device,
        ("NOT_CANONICAL", b"\xdc\x00\x03" + name + text + number),
        ("NOT_CANONICAL", array + b"\xd9\x05claim" + text + number),
        ("NOT_CANONICAL", array + name + b"\xda\x00\x03bob" + number),
        ("NOT_CANONICAL", array + name + text + bytes.fromhex("ce0000f0e2")),
        ("NOT_CANONICAL", array + name + text + bytes.fromhex("cf000000000000f0e2")),
    )
    await device.refused(messages.Claim("nobody-of-this-name", 1), "UNKNOWN_ACCOUNT")


@check("SIG-2", "SIG-5", refused=True)
async def bytes_that_are_no_message(stage: Stage) -> None:
    """Cut off, too long, of another type, of another number of fields, beyond a limit, of no family: each is refused, and
    the connection goes on."""
    device = await stage.device()
    await _each_refused(
        device,
        ("TRUNCATED", b""),
        ("TRUNCATED", CLAIM[:-1]),
        ("TRAILING_BYTES", CLAIM + b"\x00"),
        ("NOT_MESSAGEPACK", b"\xc1"),
        ("NOT_MESSAGEPACK", b"\x93\xa5claim\xa3b\xffb\x01"),
        ("NOT_A_MESSAGE", b"\x90"),
        ("NOT_A_MESSAGE", b"\x01"),
        ("NOT_A_MESSAGE", b"\x81\xa5claim\x01"),
        ("UNKNOWN_MESSAGE", b"\x91\xa7exclaim"),
        ("UNKNOWN_MESSAGE", b"\x92\xa6typing\xc3"),
        ("WRONG_FIELD_COUNT", b"\x92\xa5claim\xa3bob"),
        ("WRONG_FIELD_COUNT", b"\x94\xa5claim\xa3bob\x01\x01"),
        ("WRONG_TYPE", b"\x93\xa5claim\xa3bob\xa11"),
        ("WRONG_TYPE", b"\x93\xa5claim\xc4\x03bob\x01"),
        ("WRONG_TYPE", b"\x93\xa5claim\xa3bob\xc3"),
        ("WRONG_TYPE", b"\x93\xa5claim\xa3bob\xca\x3f\x80\x00\x00"),
        ("BEYOND_LIMIT", b"\x93\xa5claim\xa3bob\xcf\x00\x00\x00\x01\x00\x00\x00\x00"),
        ("BEYOND_LIMIT", b"\x93\xa5claim\xa0\x01"),
        ("BEYOND_LIMIT", b"\x93\xa5claim\xa3b\nb\x01"),
        ("BEYOND_LIMIT", b"\x92\xa5leave\xc4\x0f" + bytes(15)),
        ("BEYOND_LIMIT", b"\x92\xa5hello\xdc\x04\x01" + b"\x01" * 1025),
    )
    await device.refused(messages.Claim("nobody-of-this-name", 1), "UNKNOWN_ACCOUNT")


@check("SIG-2", refused=True)
async def headers_that_promise_more_than_there_is(stage: Stage) -> None:
    """Arrays and texts of 4 GiB by their headers, and arrays in arrays without end, are refused at once."""
    device = await stage.device()
    await _each_refused(
        device,
        ("TRUNCATED", b"\xc6\xff\xff\xff\xff"),
        ("TRUNCATED", b"\x92\xa5leave\xc6\xff\xff\xff\xff" + bytes(20)),
        ("BEYOND_LIMIT", b"\xdd\xff\xff\xff\xff"),
        ("TOO_DEEP", b"\x91" * 100_000),
    )


@check("SIG-3")
async def the_longest_message(stage: Stage) -> None:
    """A message of 1 MiB is read: it is refused for what it asks."""
    device = await stage.device()
    room = SERVICE.max_size - len(wire.encode(messages.Send(bytes(16), bytes(70_000)))) + 70_000
    await device.refused(messages.Send(stage.call_id(), bytes(room)), "UNKNOWN_CALL", "TOO_MANY_BYTES")  # fmt: skip


@check("SIG-3", "SIG-5", refused=True)
async def a_longer_one(stage: Stage) -> None:
    """A frame of 1 MiB and a byte ends the connection with status 1009."""
    device = await stage.device()
    await device.line.tell(bytes(SERVICE.max_size + 1))
    expect(await device.line.closed(), 1009, "status")


@check("SIG-5", refused=True)
async def a_text_frame(stage: Stage) -> None:
    """A text frame ends the connection with status 1003."""
    device = await stage.device()
    await device.line.tell("claim")
    expect(await device.line.closed(), 1003, "status")


@check("SIG-6", refused=True)
async def what_only_the_service_says(stage: Stage) -> None:
    """Messages of the service, sent by a device, are refused, and nobody gets them."""
    alice, bob = await stage.device(), await stage.device()
    call_id = stage.call_id()
    said: list[FromService] = [
        messages.Welcome(VERSION, stage.server_name, bytes(32), bytes(32)),
        messages.LoggedIn(),
        messages.Attested(0, 0, bytes(64)),
        messages.Published(1),
        messages.Devices(bob.account.id, ()),
        messages.Stored("send", call_id),
        messages.Sent(call_id, b"message"),
        messages.Committed(call_id, b"commit"),
        messages.Invited(call_id, b"welcome", b"offer"),
        messages.Letter(b"key", b"content"),
        messages.Presence(call_id, 0, connected=False),
        messages.Voided(call_id, 0),
        messages.Refused("send", call_id, "GONE", ""),
    ]
    for message in said:
        answer = [each for each in await alice.send(message) if isinstance(each, messages.Refused)]
        claim(len(answer) == 1, f"{message.name} of a device was not refused")
        if answer[0].reason != "UNEXPECTED_MESSAGE":
            stage.other_reasons.append(f"{answer[0].reason} in place of UNEXPECTED_MESSAGE")
    expect(await bob.take(), [], "what came to somebody else")


@check("DS-25")
async def answers_in_the_order_of_the_requests(stage: Stage) -> None:
    """Requests that are sent without waiting are answered one after the other."""
    alice, bob = await stage.device(key_packages=3), await stage.device()
    for _ in range(3):
        await bob.line.tell(messages.Find(alice.account.id))
        await bob.line.tell(messages.Claim(alice.account.id, 1))
        await bob.line.tell(messages.Acknowledge(1 << 40))
        await bob.line.tell(messages.Find("nobody-of-this-name"))
    names = [
        each.request if isinstance(each, messages.Refused) else each.name
        for each in await bob.take()
    ]
    expect(names, ["devices", "key_packages", "acknowledge", "find"] * 3, "answers")
