"""What a client may say of itself (RFC 9420 Sections 7.2, 10 and 13.4): the rules of a KeyPackage that only its maker keeps.

"A client that posts a KeyPackage MUST support all parameters advertised in it. Otherwise, another client might fail to
interoperate by selecting one of those parameters." Nobody else can check that, and a receiver accepts what these rules
forbid: a default type that is listed is supported all the same, and KeyPackage extensions that nobody listed are sent by
clients in the field.

GREASE comes later and is no concern here.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.mls.capabilities import DEFAULT_EXTENSIONS, DEFAULT_PROPOSALS, Capabilities
from e2ee.mls.credential import CredentialType
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.extension import Extension
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.proposal import PRIVATE_USE

__all__ = ["check_advertised"]


def check_advertised(
    suite: CipherSuite, capabilities: Capabilities, extensions: Iterable[Extension]
) -> None:
    """A new KeyPackage of ``suite`` may list ``capabilities`` and hold ``extensions``, itself or in its leaf.

    Raises UsageError.
    """
    _check_no_default_types(capabilities)
    _check_implemented(suite, capabilities)
    # Section 10: "Extensions included in the extensions or leaf_node.extensions fields MUST be included in the
    # leaf_node.capabilities field."
    for extension in extensions:
        if not capabilities.supports_extension(extension.extension_type):
            raise UsageError(Rule.EXTENSION_NOT_LISTED, f"type {extension.extension_type:#06x}")


def _check_no_default_types(capabilities: Capabilities) -> None:
    # Section 7.2: "The following proposal and extension types are considered "default" and MUST NOT be listed"
    listed = {
        *DEFAULT_EXTENSIONS.intersection(capabilities.extensions),
        *DEFAULT_PROPOSALS.intersection(capabilities.proposals),
    }
    if listed:
        raise UsageError(Rule.DEFAULT_TYPE_LISTED, f"{sorted(listed)}")


def _check_implemented(suite: CipherSuite, capabilities: Capabilities) -> None:
    """Of extensions the application knows what it supports, and of custom proposals; the rest is in this package."""
    # Section 13.4: "A client that posts a KeyPackage MUST support all parameters advertised in it."
    suites = {suite.code_point, *CIPHER_SUITES}
    supported: list[tuple[str, Container[int]]] = [
        ("versions", set(ProtocolVersion)),
        ("cipher_suites", suites),
        ("proposals", PRIVATE_USE),
        ("credentials", set(CredentialType)),
    ]
    for name, values in supported:
        unsupported = [value for value in getattr(capabilities, name) if value not in values]
        if unsupported:
            raise UsageError(Rule.CAPABILITY_NOT_IMPLEMENTED, f"{name}: {unsupported}")
