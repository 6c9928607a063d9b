"""TLS of the server's own: 1.2 at least, certificates that are what they should be, and no way around by oversight."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from e2ee.delivery.service import DeliveryService
from e2ee.server.app import PATH, create_app
from e2ee.server.errors import ConfigurationReason, ServerConfigurationError
from e2ee.server.serve import serve
from e2ee.server.tls import TlsFiles, is_loopback, require_tls
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE
from tests.server.certificates import certificate


def client(trusted: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=trusted)


def served(files: TlsFiles, context: ssl.SSLContext, service: DeliveryService) -> str | None:
    """The TLS version with which a device of this context says hello."""

    async def run() -> str | None:
        async with serve(create_app(service), tls=files.context()) as port:
            url = f"wss://localhost:{port}{PATH}"
            async with connect(url, ssl=context, host="127.0.0.1") as websocket:
                await websocket.send(wire.encode(messages.Hello((0x0100,))))
                received = await websocket.recv(decode=False)
                assert isinstance(wire.decode(SERVICE, received), messages.Welcome)
                version = websocket.transport.get_extra_info("ssl_object").version()
                assert version is None or isinstance(version, str)
                return version

    return asyncio.run(run())


def test_devices_come_by_tls_1_3(tmp_path: Path, service: DeliveryService) -> None:
    files = certificate(tmp_path)
    assert served(files, client(files.certificate), service) == "TLSv1.3"


def test_devices_may_come_by_tls_1_2_and_by_nothing_older(
    tmp_path: Path, service: DeliveryService
) -> None:
    files = certificate(tmp_path)
    context = client(files.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert served(files, context, service) == "TLSv1.2"
    assert files.context().minimum_version is ssl.TLSVersion.TLSv1_2
    ciphers = files.context().get_ciphers()
    assert {cipher["protocol"] for cipher in ciphers} == {"TLSv1.2", "TLSv1.3"}
    assert {cipher["kea"] for cipher in ciphers} == {"kx-ecdhe", "kx-any"}  # any: TLS 1.3
    assert all(cipher["aead"] for cipher in ciphers)


def test_a_certificate_is_read_again(tmp_path: Path) -> None:
    """As when it was renewed: what comes later sees the new one; if it is none, the old one stays."""
    files = certificate(tmp_path)
    context = files.context()
    renewed = certificate(tmp_path)
    renewed.load_into(context)
    files.key.write_text("no key")
    with pytest.raises(ServerConfigurationError):
        files.load_into(context)


@pytest.mark.parametrize("missing", ["certificate", "key", "garbage", "another's key", "sealed"])
def test_what_is_no_certificate_and_its_key_is_refused(tmp_path: Path, missing: str) -> None:
    files = certificate(tmp_path)
    other = certificate(tmp_path / "other")
    if missing == "garbage":
        files.certificate.write_text("no certificate")
    elif missing == "another's key":
        files = TlsFiles(files.certificate, other.key)
    elif missing == "sealed":
        files = certificate(tmp_path, passphrase=b"secret")
    else:
        getattr(files, missing).unlink()
    with pytest.raises(ServerConfigurationError, match="no TLS certificate and its key") as refused:
        files.context()
    assert refused.value.reason is ConfigurationReason.BAD_CERTIFICATE


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - all addresses of the machine
        ("::", False),
        ("192.0.2.1", False),
        ("calls.example", False),
        ("", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_off_loopback_there_is_tls_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    require_tls("127.0.0.1", None, behind_proxy=False, insecure=False)
    require_tls("192.0.2.1", files, behind_proxy=False, insecure=False)
    require_tls("192.0.2.1", None, behind_proxy=True, insecure=False)
    require_tls("192.0.2.1", None, behind_proxy=False, insecure=True)
    with pytest.raises(ServerConfigurationError, match="--insecure-without-tls") as refused:
        require_tls("192.0.2.1", None, behind_proxy=False, insecure=False)
    assert refused.value.reason is ConfigurationReason.TLS_MISSING
