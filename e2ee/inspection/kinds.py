"""What can be inspected, by name; the order is the order in which bytes of no told kind are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from e2ee.account_id import MAX_ACCOUNT_ID, flaw
from e2ee.call.letter_sealing import LetterKey, LetterStatement, SealedContent, SignedLetter
from e2ee.identity.device_certificate import DeviceCertificate
from e2ee.identity.device_link import DeviceLink
from e2ee.identity.link_content import LinkContent
from e2ee.identity.safety_number import SafetyCode
from e2ee.inspection.contents import reading_of
from e2ee.inspection.frames import frame_of
from e2ee.inspection.group_link import read_group_link
from e2ee.inspection.part import Part
from e2ee.inspection.rtp import packet_of
from e2ee.inspection.signalling import message_of
from e2ee.inspection.structures import Reading, whole
from e2ee.inspection.wording import SUITES
from e2ee.mls.group_context import GroupContext
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message import MLSMessage
from e2ee.mls.tree_node import ratchet_tree
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallProfile
from e2ee.profile.gone import GoneStatement
from e2ee.profile.join import Join
from e2ee.signalling.messages import CALL, LETTER, SERVICE, Family
from e2ee.tls_syntax import Codec, vector

__all__ = ["KINDS", "Kind", "reading"]


@dataclass(frozen=True, slots=True)
class Kind:
    """``read`` makes the reading for a codec of media, which is None for what has none."""

    description: str
    read: Callable[[str | None], Reading]
    begins: Callable[[bytes], bool] | None = None
    """Whether bytes begin as only this does; then damaged ones are taken for it, too."""
    plausible: Callable[[Part], bool] = lambda _: True
    """Whether what was read of bytes of no told kind is meant: some forms fit almost any bytes."""


def _of(description: str, codec: Codec[Any], begins: Callable[[bytes], bool] | None = None) -> Kind:
    reading = reading_of(codec)
    return Kind(description, lambda _: reading, begins)


def _messages(description: str, family: Family[Any]) -> Kind:
    reading = message_of(family)
    return Kind(description, lambda _: reading, lambda data: _opens_with_a_name(family, data))


def _opens_with_a_name(family: Family[Any], data: bytes) -> bool:
    """An array of MessagePack, and a name of the family as its first element."""
    if not data or not (0x90 <= data[0] <= 0x9F or data[0] in (0xDC, 0xDD)):
        return False
    return any(name.encode() in data[2 : 8 + len(name)] for name in family.messages)


def _begins_mls(data: bytes) -> bool:
    return data[:3] == b"\0\1\0" and data[3:4] in (b"\1", b"\2", b"\3", b"\4", b"\5")


def _begins_key_package(data: bytes) -> bool:
    return data[:2] == b"\0\1" and int.from_bytes(data[2:4], "big") in SUITES


def _begins_certificate(data: bytes) -> bool:
    """Version 1, and an account id."""
    if data[:1] != b"\1" or len(data) < 2 or not 1 <= data[1] <= MAX_ACCOUNT_ID:
        return False
    try:
        return flaw(data[2 : 2 + data[1]].decode()) is None
    except UnicodeDecodeError:
        return False


def _holds_a_frame(packet: Part) -> bool:
    """A packet of a payload type that descriptions give out (RFC 3551 Section 6), whose payload is a frame of audio."""
    payload_type = packet.child("marker, payload_type").value
    in_range = isinstance(payload_type, int) and payload_type & 0x7F >= 96
    return in_range and not any(part.problem for part in packet.walk())


KINDS: Mapping[str, Kind] = {
    "group-link": Kind("the URL of a link to a group call (GROUP-3)", lambda _: read_group_link),
    "device-link": _of("what a new device shows, e2ee-link:... (IDENT-20)", DeviceLink.codec()),
    "safety-code": _of(
        "the QR code of a safety number, e2ee-safety:... (VERIFY-1)", SafetyCode.codec()
    ),
    "mls-message": _of(
        "MLSMessage of any wire format (RFC 9420 Section 6)", MLSMessage.codec(), _begins_mls
    ),
    "service": _messages("a message between a device and the delivery service", SERVICE),
    "call": _messages("a message between the devices of a call", CALL),
    "letter": _messages("what a letter says", LETTER),
    "certificate": _of(
        "DeviceCertificate (IDENT-1)", DeviceCertificate.codec(), _begins_certificate
    ),
    "key-package": _of("KeyPackage (RFC 9420 Section 10)", KeyPackage.codec(), _begins_key_package),
    "group-info": _of("GroupInfo (RFC 9420 Section 12.4.3)", GroupInfo.codec()),
    "welcome": _of("Welcome (RFC 9420 Section 12.4.3.1)", Welcome.codec()),
    "group-context": _of("GroupContext (RFC 9420 Section 8.1)", GroupContext.codec()),
    "leaf-node": _of("LeafNode (RFC 9420 Section 7.2)", LeafNode.codec()),
    "ratchet-tree": _of(
        "the ratchet_tree extension's data (RFC 9420 Section 12.4.3.3)", ratchet_tree
    ),
    "call-profile": _of("the extension call_profile's data (KEYS-9)", CallProfile.codec()),
    "join": _of("the extension join's data (KEYS-21)", Join.codec()),
    "gone-statement": _of("GoneStatement (KEYS-24)", GoneStatement.codec()),
    "gone-statements": _of(
        "authenticated_data of a commit (KEYS-24)", vector(GoneStatement.codec())
    ),
    "signed-letter": _of("SignedLetter, opened (LETTER-4)", SignedLetter.codec()),
    "letter-statement": _of("LetterStatement, opened (LETTER-4)", LetterStatement.codec()),
    "letter-key": _of("LetterKey, an element of keys of post (LETTER-1)", LetterKey.codec()),
    "sealed-content": _of("SealedContent, content of post (LETTER-2)", SealedContent.codec()),
    "link-content": _of("LinkContent, opened (IDENT-21)", LinkContent.codec()),
    "rtp": Kind(
        "an RTP packet, and the frame that its payload shows", packet_of, plausible=_holds_a_frame
    ),
    "frame": Kind("a protected frame (FRAME-1)", frame_of),
}


def reading(kind: str, codec: str | None = None) -> Reading:
    """How all of a blob of this kind is read."""
    return whole(KINDS[kind].read(codec))
