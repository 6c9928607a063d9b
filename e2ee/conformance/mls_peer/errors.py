"""What a reply's ``error`` names.

A request that reached the protocol and was refused there has the reason of the error that was raised: a ``Rule`` of
``e2ee.mls``, a ``DecodeReason``, a ``CryptoReason``. What was wrong before is a ``RequestReason``:

    LocalProtocolError
      RequestError       the line is no request, or asks for what no client here can do
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason

__all__ = ["RequestError", "RequestReason"]


class RequestReason(Reason):
    """Why a request did not reach the protocol."""

    # the line
    LINE_TOO_LONG = "LINE_TOO_LONG"
    NOT_JSON = "NOT_JSON"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    DUPLICATE_FIELD = "DUPLICATE_FIELD"

    # its fields
    UNKNOWN_OP = "UNKNOWN_OP"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    MISSING_FIELD = "MISSING_FIELD"
    BAD_FIELD = "BAD_FIELD"
    WRONG_MESSAGE = "WRONG_MESSAGE"

    # the client that it names
    UNKNOWN_CLIENT = "UNKNOWN_CLIENT"
    CLIENT_EXISTS = "CLIENT_EXISTS"
    NOT_IN_A_GROUP = "NOT_IN_A_GROUP"
    ALREADY_IN_A_GROUP = "ALREADY_IN_A_GROUP"
    KEY_PACKAGE_USED = "KEY_PACKAGE_USED"

    # the peer itself
    INTERNAL_ERROR = "INTERNAL_ERROR"
    """A fault of this program; please report it."""


class RequestError(LocalProtocolError):
    """A line that is no request for the clients of this process; ``reason`` is a ``RequestReason``."""
