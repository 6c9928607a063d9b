"""What is in opaque fields that carry something else: credentials, extensions, what messages are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from e2ee.call.letter_sealing import LetterKey, SealedContent
from e2ee.identity.device_certificate import DeviceCertificate
from e2ee.inspection.structures import Reading, structure
from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.extension import ExtensionType, ExternalPub, external_senders
from e2ee.mls.message import MLSMessage
from e2ee.mls.tree_node import ratchet_tree
from e2ee.profile.call_profile import CALL_PROFILE, CallProfile
from e2ee.profile.gone import GoneStatement
from e2ee.profile.join import JOIN, Join
from e2ee.tls_syntax import Codec, vector

__all__ = ["carried_by_message", "carried_by_structure", "reading_of"]


def reading_of(codec: Codec[Any]) -> Reading:
    """How a whole of this type is read, with what its fields carry."""
    return structure(codec, carried_by_structure)


def carried_by_structure(owner: str, field: str, before: Mapping[str, Any]) -> Reading | None:
    """How what a field of a structure carries is read, if it carries something."""
    find = _CARRIED.get((owner, field))
    return None if find is None else find(before)


def carried_by_message(field: str, type_name: str) -> Reading | None:
    """The same for a field, or an element of a list, of a service message: an MLSMessage if the chapter says nothing else."""
    if type_name not in ("bytes", "bytes or nil", "list of bytes"):
        return None
    return _OF_MESSAGES.get(field, _MLS_MESSAGE)


def _of_extension(before: Mapping[str, Any]) -> Reading | None:
    codec = _EXTENSIONS.get(before["extension_type"])
    return None if codec is None else reading_of(codec)


_EXTENSIONS: Mapping[int, Codec[Any]] = {
    ExtensionType.RATCHET_TREE: ratchet_tree,
    ExtensionType.REQUIRED_CAPABILITIES: RequiredCapabilities.codec(),
    ExtensionType.EXTERNAL_PUB: ExternalPub.codec(),
    ExtensionType.EXTERNAL_SENDERS: external_senders,
    CALL_PROFILE: CallProfile.codec(),
    JOIN: Join.codec(),
}

_CERTIFICATE = reading_of(DeviceCertificate.codec())
_MLS_MESSAGE = reading_of(MLSMessage.codec())
_STATEMENTS = reading_of(vector(GoneStatement.codec()))

_CARRIED: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Reading | None]] = {
    ("Credential", "value"): lambda _: _CERTIFICATE,
    ("Extension", "extension_data"): _of_extension,
    ("FramedContent", "authenticated_data"): lambda _: _STATEMENTS,
    ("LetterStatement", "certificate"): lambda _: _CERTIFICATE,
    ("LinkContent", "certificate"): lambda _: _CERTIFICATE,
}

_OF_MESSAGES: Mapping[str, Reading | None] = {
    "certificate": _CERTIFICATE,
    "certificates": _CERTIFICATE,
    "statement": reading_of(GoneStatement.codec()),
    "key": reading_of(LetterKey.codec()),
    "keys": reading_of(LetterKey.codec()),
    "content": reading_of(SealedContent.codec()),
    "sealed": None,
    "data": None,
}
