"""A link to a group call as text that people give each other (GROUP-3).

    https://calls.example/meet/<call_id>#<secret>            with a secret: whoever has it may ask to join
    https://calls.example/meet/<call_id>#host.<account key>  without: who asks waits in the lobby

The rest of it is where the service is, so that a device knows whether it can follow it. All of a link with a secret is a
secret; what is wrong with one is said without repeating it.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from e2ee.call.group.link import GroupLink
from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.crypto.secret import Secret
from e2ee.errors import DecodeError
from e2ee.identity.text_form import from_text, to_text

__all__ = ["link_url", "read_link_url"]

_SCHEMES = {"wss": "https", "ws": "http"}
_PORTS = {"https": 443, "http": 80}
_FOLDER = "meet"
_HOST = "host."

_CALL_ID, _SECRET, _KEY = 16, 32, 32
"""Lengths in bytes."""

_LONGEST = 2_000


def link_url(service_url: str, link: GroupLink) -> str:
    """The text of a link, for a service at ``service_url`` (``wss://calls.example/v1``)."""
    secret = link.secret
    fragment = to_text(_HOST, link.host_key or b"") if secret is None else to_text("", secret)
    return f"{_place(service_url)}/{_FOLDER}/{to_text('', link.call_id)}#{fragment}"


def read_link_url(service_url: str, text: str) -> GroupLink:
    """The link of a text. Raises ClientUsageError: BAD_LINK; OTHER_SERVICE if it is not of the one at ``service_url``."""
    parts = _parts(text.strip())
    folder, _, call_id = parts.path.rpartition("/")
    before, _, name = folder.rpartition("/")
    if name != _FOLDER:
        raise _bad(f"its path is not /{_FOLDER}/ and the name of a call")
    linked, own = _normal(parts, before), _place(service_url)
    if linked != own:
        raise ClientUsageError(
            ClientReason.OTHER_SERVICE, f"the link is of {linked}, this device's service is {own}"
        )
    named = _bytes("", call_id, _CALL_ID, "the call's name")
    fragment = parts.fragment
    if not fragment:
        raise _bad("what comes after # is missing")
    if fragment.startswith(_HOST):
        return GroupLink(named, None, _bytes(_HOST, fragment, _KEY, "the host's key"))
    secret = _bytes("", fragment, _SECRET, "what comes after #")
    return GroupLink(named, Secret(secret), None)


def _parts(text: str) -> SplitResult:
    if len(text) > _LONGEST:
        raise _bad(f"longer than {_LONGEST} characters")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:  # of brackets without an end, and ports beyond the last
        raise _bad("no URL") from None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
        raise _bad(f"it does not begin as https://calls.example/{_FOLDER}/")
    return parts


def _place(service_url: str) -> str:
    """Where a service is, in the words of browsers: its URL without the last element of the path."""
    parts = urlsplit(service_url)
    parts = parts._replace(scheme=_SCHEMES.get(parts.scheme, parts.scheme))
    return _normal(parts, parts.path.rpartition("/")[0])


def _normal(parts: SplitResult, path: str) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{path}"


def _bytes(prefix: str, text: str, length: int, what: str) -> bytes:
    try:
        data = from_text(prefix, text)
    except DecodeError:
        data = b""
    if len(data) != length:
        raise _bad(f"{what} is not {length} bytes in base64url: something was cut off, or added")
    return data


def _bad(why: str) -> ClientUsageError:
    return ClientUsageError(ClientReason.BAD_LINK, why)
