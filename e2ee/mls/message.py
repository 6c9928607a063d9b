"""MLSMessage (RFC 9420 Section 6): the outermost wrapping of everything that MLS sends."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from e2ee.errors import DecodeError
from e2ee.mls.errors import Rule
from e2ee.mls.framing import WireFormat
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.welcome import Welcome
from e2ee.tls_syntax import Codec, Reader, Struct, enum, select, struct, uint16

__all__ = ["MLSMessage", "MLSMessageBody"]

MLSMessageBody = PublicMessage | PrivateMessage | Welcome | GroupInfo | KeyPackage


def _read_key_package(reader: Reader) -> KeyPackage:
    key_package = KeyPackage.codec().read(reader)
    # Section 10: "If a client receives a KeyPackage carried within an MLSMessage object, then it MUST verify that the
    # version field of the KeyPackage has the same value as the version field of the MLSMessage." There is one version.
    if key_package.version != ProtocolVersion.MLS10:
        raise DecodeError(Rule.KEY_PACKAGE_VERSION_OF_MESSAGE, f"{key_package.version:#06x}")
    return key_package


_BODY: dict[WireFormat, type[Struct]] = {
    WireFormat.PUBLIC_MESSAGE: PublicMessage,
    WireFormat.PRIVATE_MESSAGE: PrivateMessage,
    WireFormat.WELCOME: Welcome,
    WireFormat.GROUP_INFO: GroupInfo,
    WireFormat.KEY_PACKAGE: KeyPackage,
}
_CODEC: dict[WireFormat, Codec[Any]] = {
    wire_format: body.codec() for wire_format, body in _BODY.items()
}
_CODEC[WireFormat.KEY_PACKAGE] = replace(KeyPackage.codec(), read=_read_key_package)
_WIRE_FORMAT = {body: wire_format for wire_format, body in _BODY.items()}


@struct
class MLSMessage(Struct):
    """RFC 9420 Section 6. Made with ``MLSMessage.of``, so that wire format and body agree."""

    version: Annotated[ProtocolVersion, enum(ProtocolVersion, uint16)]
    wire_format: Annotated[WireFormat, enum(WireFormat, uint16)]
    body: Annotated[
        MLSMessageBody,
        select("wire_format", _CODEC),
    ]

    @classmethod
    def of(cls, body: MLSMessageBody) -> MLSMessage:
        """The message with this body."""
        return cls(ProtocolVersion.MLS10, _WIRE_FORMAT[type(body)], body)
