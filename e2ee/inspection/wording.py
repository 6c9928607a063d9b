"""A value in words, by the name of its field: dates, code points, roles, texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from e2ee.identity.device_certificate import Role
from e2ee.identity.link_content import ContactFlag
from e2ee.mls.capabilities import ProposalType
from e2ee.mls.credential import CredentialType
from e2ee.mls.extension import ExtensionType
from e2ee.mls.key_package import LAST_RESORT
from e2ee.profile.call_profile import CALL_PROFILE, CallKind, JoinPolicy
from e2ee.profile.join import JOIN

__all__ = ["HIDDEN", "note"]

SUITES = {0x0001: "X25519, AES-128-GCM, Ed25519", 0xF0E2: "hybrid with ML-KEM-768"}

EXTENSIONS = {
    **{int(each): each.name.lower() for each in ExtensionType},
    LAST_RESORT.extension_type: "last_resort_key_package",
    CALL_PROFILE: "call_profile",
    JOIN: "join",
}

HIDDEN = frozenset(
    {
        ("register", "token"),
        ("relays", "credential"),
        ("group_offer", "link_secret"),
        ("new_link", "secret"),
    }
)
"""Fields of messages that let somebody in: what is inspected often ends in a report."""


def note(owner: str, field: str, value: Any) -> str:
    """What ``value`` of ``field`` in the structure or message ``owner`` means; empty if there is nothing to add."""
    if isinstance(value, IntEnum):
        return value.name.lower()
    words = _NOTES.get((owner, field)) or _NOTES.get(("", field))
    return words(value) if words is not None and value is not None else ""


def _date(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return "beyond the year 9999"


def _text(value: Any) -> str:
    try:
        text = value.decode() if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError:
        return "not UTF-8"
    return ascii(text)[1:-1] if not text.isprintable() else text


def _hex(value: int) -> str:
    return f"{value:#06x}"


def _named(names: Mapping[int, str]) -> Callable[[Any], str]:
    def words(value: Any) -> str:
        if isinstance(value, tuple):
            return ", ".join(words(each) for each in value)
        name = names.get(value)
        return f"{_hex(value)} {name}" if name else _hex(value)

    return words


def _flags(flags: type[Role] | type[ContactFlag]) -> Callable[[int], str]:
    def words(value: int) -> str:
        known = [str(flag.name).lower() for flag in flags if flag and value & flag]
        unknown = value & ~sum(flags)
        return ", ".join([*known, *([f"unassigned {unknown:#x}"] if unknown else [])]) or "none"

    return words


def _of_enum(members: type[IntEnum]) -> Callable[[int], str]:
    names = {int(each): each.name.lower() for each in members}
    return lambda value: names.get(value, "unassigned")


_SUITES, _VERSIONS = _named(SUITES), _named({0x0100: "1.0"})

_NOTES: Mapping[tuple[str, str], Callable[[Any], str]] = {
    **{("", name): _date for name in ("not_before", "not_after", "attested_until", "until")},
    **{
        ("", name): (lambda value: _date(value // 1000))
        for name in ("created_at", "gone_since", "clock")
    },
    **{
        ("", name): _SUITES
        for name in ("suite", "suites", "cipher_suite", "cipher_suites", "highest_suite")
    },
    **{("", name): _text for name in ("account_id", "recipient_id", "server_name")},
    ("DeviceStatement", "versions"): _VERSIONS,
    ("DeviceLink", "versions"): _VERSIONS,
    ("CallProfile", "version"): _VERSIONS,
    ("hello", "versions"): _VERSIONS,
    ("welcome", "version"): _VERSIONS,
    ("", "roles"): _flags(Role),
    ("LinkedContact", "flags"): _flags(ContactFlag),
    ("CallProfile", "kind"): _of_enum(CallKind),
    ("CallProfile", "join_policy"): _of_enum(JoinPolicy),
    ("", "extension_type"): _named(EXTENSIONS),
    ("", "extension_types"): _named(EXTENSIONS),
    ("Capabilities", "extensions"): _named(EXTENSIONS),
    ("", "proposals"): _named({int(each): each.name.lower() for each in ProposalType}),
    ("", "proposal_type"): _named({int(each): each.name.lower() for each in ProposalType}),
    ("", "credentials"): _named({int(each): each.name.lower() for each in CredentialType}),
    ("", "credential_types"): _named({int(each): each.name.lower() for each in CredentialType}),
}
"""(structure or message, or empty for any; field) -> words."""
