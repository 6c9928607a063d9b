"""TLS of the server's own, and the refusal to go without.

What TLS adds to a service that nobody needs to trust: from who listens on the way it hides who calls whom and when, which the
service itself sees (THREAT), and it keeps registration tokens from them. So a server that is reachable from elsewhere does not
start without, unless its operator says that a proxy has the TLS, or that there shall be none.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from e2ee.server.errors import ConfigurationReason, ServerConfigurationError

__all__ = ["TlsFiles", "is_loopback", "require_tls"]

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and AEAD, nothing else. TLS 1.3, which is taken where both sides have it, has only such."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the certificate with its chain, and its private key without a passphrase."""

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer with this certificate. Raises ServerConfigurationError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.set_alpn_protocols(["http/1.1"])
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Have new connections use what is in the files now. Raises ServerConfigurationError, and nothing changed."""
        try:
            _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self)
            _load(context, self)
        except OSError as error:  # ssl.SSLError is one
            raise ServerConfigurationError(
                ConfigurationReason.BAD_CERTIFICATE,
                f"{self.certificate} and {self.key} are no TLS certificate and its key: {_said(error)}",
            ) from None


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    # A passphrase, asked for, would have a service wait for a keyboard: an empty one fails at once.
    context.load_cert_chain(files.certificate, files.key, password="")


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on ``host``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def require_tls(host: str, tls: TlsFiles | None, *, behind_proxy: bool, insecure: bool) -> None:
    """Raises ServerConfigurationError if the network would carry what TLS should."""
    if tls is None and not is_loopback(host) and not behind_proxy and not insecure:
        raise ServerConfigurationError(
            ConfigurationReason.TLS_MISSING,
            f"{host} can be reached from elsewhere, and without TLS whoever is on the way sees who calls whom:"
            " give --tls-cert and --tls-key, or --behind-proxy if a proxy has the TLS,"
            " or --insecure-without-tls if there shall be none",
        )
