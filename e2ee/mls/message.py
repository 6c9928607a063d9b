"""MLSMessage (RFC 9420 Section 6): the outermost wrapping of everything that MLS sends."""

from __future__ import annotations

from typing import Annotated

from e2ee.mls.framing import WireFormat
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.welcome import Welcome
from e2ee.tls_syntax import Struct, enum, select, struct, uint16

__all__ = ["MLSMessage", "MLSMessageBody"]

MLSMessageBody = PublicMessage | PrivateMessage | Welcome | GroupInfo | KeyPackage

_BODY: dict[WireFormat, type[Struct]] = {
    WireFormat.PUBLIC_MESSAGE: PublicMessage,
    WireFormat.PRIVATE_MESSAGE: PrivateMessage,
    WireFormat.WELCOME: Welcome,
    WireFormat.GROUP_INFO: GroupInfo,
    WireFormat.KEY_PACKAGE: KeyPackage,
}
_WIRE_FORMAT = {body: wire_format for wire_format, body in _BODY.items()}


@struct
class MLSMessage(Struct):
    """RFC 9420 Section 6. Made with ``MLSMessage.of``, so that wire format and body agree."""

    version: Annotated[ProtocolVersion, enum(ProtocolVersion, uint16)]
    wire_format: Annotated[WireFormat, enum(WireFormat, uint16)]
    body: Annotated[
        MLSMessageBody,
        select("wire_format", {tag: body.codec() for tag, body in _BODY.items()}),
    ]

    @classmethod
    def of(cls, body: MLSMessageBody) -> MLSMessage:
        """The message with this body."""
        return cls(ProtocolVersion.MLS10, _WIRE_FORMAT[type(body)], body)
