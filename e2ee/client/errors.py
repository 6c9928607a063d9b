"""What goes wrong between a client and its delivery service.

E2EEError
  LocalProtocolError
    ClientUsageError     the application asked for something that this client cannot do now
  RemoteProtocolError
    ServiceRefused       the service refused a request; ``reason`` and ``detail`` are its words
    ServiceLost          the connection ended, or what came over it was not the protocol
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason, RemoteProtocolError

__all__ = ["ClientReason", "ClientUsageError", "ServiceLost", "ServiceRefused"]


class ClientReason(Reason):
    """Which rule was broken."""

    REFUSED = "REFUSED"
    CONNECTION_LOST = "CONNECTION_LOST"
    UNEXPECTED_ANSWER = "UNEXPECTED_ANSWER"
    CALL_IS_OVER = "CALL_IS_OVER"
    NOT_THE_PRIMARY = "NOT_THE_PRIMARY"
    THIS_DEVICE = "THIS_DEVICE"
    DEVICE_EXISTS = "DEVICE_EXISTS"
    NOT_POSTED = "NOT_POSTED"
    NO_LINK = "NO_LINK"
    BAD_LINK = "BAD_LINK"
    OTHER_SERVICE = "OTHER_SERVICE"
    NO_SUCH_MEMBER = "NO_SUCH_MEMBER"


class ServiceRefused(RemoteProtocolError):
    """The service refused a request. ``service_reason`` is the code that it gave."""

    def __init__(self, request: str, service_reason: str, detail: str) -> None:
        super().__init__(ClientReason.REFUSED, f"{request}: {service_reason} {detail}".rstrip())
        self.service_reason = service_reason


class ServiceLost(RemoteProtocolError):
    """There is no connection to the service any more."""


class ClientUsageError(LocalProtocolError):
    """The client cannot do this now."""
