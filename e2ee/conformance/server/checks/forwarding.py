"""What members ask of the forwarding unit, as far as it can be asked without WebRTC (DS-23; SFU-3, SFU-4, SFU-9, SFU-11)."""

from __future__ import annotations

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Device
from e2ee.conformance.server.faults import Fault, Unsupported, claim, expect
from e2ee.conformance.server.meeting import Meeting, meet
from e2ee.conformance.server.rates import limited
from e2ee.conformance.server.stage import Stage
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService, ServiceMessage

FORWARDING = ("forwarding",)

NOT_THERE = "NO_FORWARDING"


def _description(
    stage: Stage,
    *,
    sections: int = 1,
    direction: str = "sendonly",
    codec: str = "opus/48000/2",
    bundled: bool = True,
    fingerprint: bool = True,
) -> str:
    """An offer of so many streams of audio, with keys of its own; nobody answers at the addresses that it does not name."""
    ufrag, password = stage.entropy.random(4).hex(), stage.entropy.random(16).hex()
    digest = ":".join(f"{byte:02X}" for byte in stage.entropy.random(32))
    mids = " ".join(map(str, range(sections)))
    lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    lines += [f"a=group:BUNDLE {mids}"] if bundled else []
    lines += ["a=msid-semantic:WMS *"]
    for mid in range(sections):
        lines += [
            "m=audio 9 UDP/TLS/RTP/SAVPF 96",
            "c=IN IP4 0.0.0.0",
            f"a={direction}",
            f"a=mid:{mid}",
            f"a=msid:stream track-{mid}",
            "a=rtcp:9 IN IP4 0.0.0.0",
            "a=rtcp-mux",
            f"a=ssrc:{1000 + mid} cname:checks",
            f"a=rtpmap:96 {codec}",
            f"a=ice-ufrag:{ufrag}",
            f"a=ice-pwd:{password}",
            *([f"a=fingerprint:sha-256 {digest}"] if fingerprint else []),
            "a=setup:actpass",
        ]
    return "\r\n".join(lines) + "\r\n"


async def _asked(device: Device, request: ServiceMessage, *kinds: type[FromService]) -> FromService:
    """The answer, which may come after those of later requests. Raises Unsupported if there is no unit."""
    await device.line.tell(request)

    def answers(message: FromService) -> bool:
        refused = isinstance(message, messages.Refused) and message.request == request.name
        return refused or isinstance(message, kinds)

    answer = await device.line.first(answers, f"answer to {request.name}")
    if isinstance(answer, messages.Refused) and answer.reason == NOT_THERE:
        raise Unsupported("this service has no forwarding unit")
    return answer


async def _refused(device: Device, request: ServiceMessage, *reasons: str) -> None:
    taken: dict[type[ServiceMessage], type[FromService]] = {
        messages.PublishMedia: messages.MediaPublished,
        messages.SubscribeMedia: messages.MediaOffer,
    }
    answer = await _asked(device, request, taken.get(type(request), messages.Stored))
    if not isinstance(answer, messages.Refused):
        raise Fault(f"{request.name} must be refused ({', '.join(reasons)}), and was answered")
    if answer.reason not in reasons:
        device.stage.other_reasons.append(f"{answer.reason} in place of {' or '.join(reasons)}")


async def _published(device: Device, meeting: Meeting, sections: int = 1) -> str:
    """Publish; gives the unit's answer."""
    request = messages.PublishMedia(meeting.call_id, _description(device.stage, sections=sections))
    answer = await _asked(device, request, messages.MediaPublished)
    if not isinstance(answer, messages.MediaPublished):
        raise Fault(f"publish_media was refused: {answer}")
    expect(answer.call_id, meeting.call_id, "call_id")
    return answer.description


@check("DS-23", "SFU-3", "SFU-9", "SFU-11", features=FORWARDING)
async def a_member_publishes(stage: Stage) -> None:
    """An offer is answered, for each of its m-sections; another one takes the place of the former."""
    meeting, (alice, bob) = await meet(stage, 2)
    for device, sections in ((alice, 1), (bob, 1), (alice, 8)):
        answer = (await _published(device, meeting, sections)).splitlines()
        media = [line for line in answer if line.startswith("m=")]
        expect(len(media), sections, "m-sections of the answer")
        claim("a=sendonly" not in answer and "a=sendrecv" not in answer, "the unit would send here")
        claim(any(line.startswith("a=fingerprint:") for line in answer), "no fingerprint")


@check("DS-23", "SFU-3", features=FORWARDING, refused=True)
async def who_may_not_publish(stage: Stage) -> None:
    """A stranger, a viewer, and who has left; a viewer may subscribe."""
    alice, bob, mallory = [await stage.device() for _ in range(3)]
    meeting = Meeting(stage)
    await meeting.begin(alice, bob, speakers=(alice.account.key.public,))
    await meeting.add(alice, bob)
    request = messages.PublishMedia(meeting.call_id, _description(stage))
    await _refused(mallory, request, "NOT_A_MEMBER")
    await _refused(mallory, messages.SubscribeMedia(meeting.call_id), "NOT_A_MEMBER")
    await _refused(mallory, messages.WantMedia(meeting.call_id, ()), "NOT_A_MEMBER")
    await _refused(bob, request, "NOT_A_SPEAKER")
    await _published(alice, meeting)
    await bob.accepted(messages.SubscribeMedia(meeting.call_id))
    await bob.accepted(messages.Leave(meeting.call_id))
    await _refused(bob, messages.SubscribeMedia(meeting.call_id), "GONE")


@check("SFU-9", "SFU-11", features=FORWARDING, refused=True)
async def descriptions_that_no_publisher_has(stage: Stage) -> None:
    """Nine m-sections, one that also receives, another codec, no BUNDLE, no fingerprint, no description."""
    meeting, (alice,) = await meet(stage, 1)
    for description, reason in (
        (_description(stage, sections=9), "UNEXPECTED_MEDIA"),
        (_description(stage, direction="sendrecv"), "UNEXPECTED_MEDIA"),
        (_description(stage, direction="recvonly"), "UNEXPECTED_MEDIA"),
        (_description(stage, codec="PCMU/8000"), "UNEXPECTED_MEDIA"),
        (_description(stage, sections=2, bundled=False), "UNEXPECTED_MEDIA"),
        (_description(stage, fingerprint=False), "NO_FINGERPRINT"),
        (_description(stage, sections=0), "UNEXPECTED_MEDIA"),
        ("no description", "MALFORMED_DESCRIPTION"),
    ):
        request = messages.PublishMedia(meeting.call_id, description)
        await _refused(alice, request, reason, "MALFORMED_DESCRIPTION", "UNEXPECTED_MEDIA")
    await _published(alice, meeting)


@check("SFU-4", features=FORWARDING, refused=True)
async def an_answer_to_no_offer(stage: Stage) -> None:
    """Before a subscription, and of a number that was not offered."""
    meeting, (alice, bob) = await meet(stage, 2)
    await _published(alice, meeting)
    answer = messages.MediaAnswer(meeting.call_id, 7, _description(stage, direction="recvonly"))
    await _refused(bob, answer, "NOT_SUBSCRIBED")
    await bob.accepted(messages.SubscribeMedia(meeting.call_id))
    await _refused(bob, answer, "STALE_ANSWER", "NOT_SUBSCRIBED")


@check("DS-7", features=FORWARDING, refused=True)
async def media_connections_have_a_rate(stage: Stage) -> None:
    """30 requests of an account for a connection in a minute."""
    meeting, (alice, bob) = await meet(stage, 2)
    await _published(alice, meeting)
    await limited(alice, messages.SubscribeMedia(meeting.call_id), 29, 60)
    await _published(bob, meeting)
