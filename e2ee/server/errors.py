"""What the server refuses beside what the delivery service refuses.

LocalProtocolError
  ServerConfigurationError  the server was set up in a way that it does not run; ``detail`` is a sentence for its operator
RemoteProtocolError
  ForwardingError           the forwarding unit was not asked, or has not answered; ``refused`` carries the reason
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason, RemoteProtocolError

__all__ = [
    "CloseReason",
    "ConfigurationReason",
    "ForwardingError",
    "ForwardingReason",
    "ServerConfigurationError",
]


class CloseReason(Reason):
    """Why a connection ended; the delivery service's reasons come beside these."""

    # said to the device, in the close frame
    TOO_MANY_CONNECTIONS = "TOO_MANY_CONNECTIONS"
    TOO_MANY_OF_THIS_ADDRESS = "TOO_MANY_OF_THIS_ADDRESS"
    NO_LOGIN_IN_TIME = "NO_LOGIN_IN_TIME"
    STORE_FAILED = "STORE_FAILED"

    # said to a service, by a forwarding unit that is a process of its own
    NOT_PROVED = "NOT_PROVED"
    UNEXPECTED_MESSAGE = "UNEXPECTED_MESSAGE"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"

    # known to the server alone
    LEFT = "LEFT"
    SERVER_STOPS = "SERVER_STOPS"
    FAULT = "FAULT"


class ConfigurationReason(Reason):
    """Why the server does not run."""

    BAD_KEY_SET = "BAD_KEY_SET"
    BAD_CERTIFICATE = "BAD_CERTIFICATE"
    TLS_MISSING = "TLS_MISSING"
    BAD_TURN_SERVERS = "BAD_TURN_SERVERS"
    BAD_FORWARDING_UNIT = "BAD_FORWARDING_UNIT"


class ServerConfigurationError(LocalProtocolError):
    """The server does not run like this."""


class ForwardingReason(Reason):
    """Why there is no answer of the forwarding unit; its own reasons (``SfuReason``) come beside these."""

    TOO_MANY_WAITING = "TOO_MANY_WAITING"
    NO_ANSWER_IN_TIME = "NO_ANSWER_IN_TIME"
    UNIT_AWAY = "UNIT_AWAY"
    UNIT_FAILED = "UNIT_FAILED"


class ForwardingError(RemoteProtocolError):
    """A member's request has not come to the forwarding unit, or its answer has not come back."""
