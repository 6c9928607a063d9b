"""What the server refuses beside what the delivery service refuses.

LocalProtocolError
  ServerConfigurationError  the server was set up in a way that it does not run; ``detail`` is a sentence for its operator
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason

__all__ = ["CloseReason", "ConfigurationReason", "ServerConfigurationError"]


class CloseReason(Reason):
    """Why a connection ended; the delivery service's reasons come beside these."""

    # said to the device, in the close frame
    TOO_MANY_CONNECTIONS = "TOO_MANY_CONNECTIONS"
    TOO_MANY_OF_THIS_ADDRESS = "TOO_MANY_OF_THIS_ADDRESS"
    NO_LOGIN_IN_TIME = "NO_LOGIN_IN_TIME"
    STORE_FAILED = "STORE_FAILED"

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


class ServerConfigurationError(LocalProtocolError):
    """The server does not run like this."""
