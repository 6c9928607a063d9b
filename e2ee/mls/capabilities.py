"""Capabilities (RFC 9420 Sections 7.2 and 11.1): what a client supports, and what a group asks of its members."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum
from typing import Annotated

from e2ee.mls.extension import Extension, ExtensionType, find
from e2ee.tls_syntax import Struct, struct, uint16, vector

__all__ = [
    "DEFAULT_EXTENSIONS",
    "DEFAULT_PROPOSALS",
    "Capabilities",
    "ProposalType",
    "RequiredCapabilities",
    "best_cipher_suite",
    "required_capabilities",
]

CodePoints = Annotated[tuple[int, ...], vector(uint16, most=1 << 10)]


class ProposalType(IntEnum):
    """RFC 9420 Section 17.4: the default types, which every client implements and none lists."""

    ADD = 1
    UPDATE = 2
    REMOVE = 3
    PSK = 4
    REINIT = 5
    EXTERNAL_INIT = 6
    GROUP_CONTEXT_EXTENSIONS = 7


DEFAULT_EXTENSIONS = frozenset(map(int, ExtensionType))
DEFAULT_PROPOSALS = frozenset(map(int, ProposalType))


@struct
class RequiredCapabilities(Struct):
    """RFC 9420 Section 11.1: code points that every member must support; default types need not be listed."""

    extension_types: CodePoints
    proposal_types: CodePoints
    credential_types: CodePoints


@struct
class Capabilities(Struct):
    """RFC 9420 Section 7.2: code points that a client supports; unknown ones are kept and ignored."""

    versions: CodePoints
    cipher_suites: CodePoints
    extensions: CodePoints
    proposals: CodePoints
    credentials: CodePoints

    def supports_extension(self, extension_type: int) -> bool:
        """Whether the client supports this type of extension, default types included."""
        return extension_type in self.extensions or extension_type in DEFAULT_EXTENSIONS

    def supports_proposal(self, proposal_type: int) -> bool:
        """Whether the client supports this type of proposal, default types included."""
        return proposal_type in self.proposals or proposal_type in DEFAULT_PROPOSALS

    def meet(self, required: RequiredCapabilities) -> bool:
        """Whether all that is required is supported. There are no default credential types."""
        return (
            all(map(self.supports_extension, required.extension_types))
            and all(map(self.supports_proposal, required.proposal_types))
            and set(required.credential_types) <= set(self.credentials)
        )


def best_cipher_suite(
    preference: Iterable[int], capabilities: Collection[Capabilities]
) -> int | None:
    """The first code point of ``preference``, which are this client's own suites, that everybody lists; None if none is.

    RFC 9420 Section 11: "To protect against downgrade attacks, the creator MUST use the capabilities information in these
    KeyPackages to verify that the chosen version and cipher suite is the best option supported by all members." So
    ``capabilities`` are those of one KeyPackage of each, which may itself be of another suite than the best.
    """
    for suite in preference:
        if all(suite in listed.cipher_suites for listed in capabilities):
            return suite
    return None


def required_capabilities(extensions: Iterable[Extension]) -> RequiredCapabilities:
    """What these GroupContext extensions require; nothing if they do not say. Raises DecodeError."""
    data = find(extensions, ExtensionType.REQUIRED_CAPABILITIES)
    return RequiredCapabilities((), (), ()) if data is None else RequiredCapabilities.decode(data)
