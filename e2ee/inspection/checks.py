"""Which signatures a blob itself allows to verify, and whether they hold; and what else would be needed for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.crypto.errors import UnsupportedCipherSuite
from e2ee.errors import E2EEError
from e2ee.identity.device_certificate import DeviceCertificate, verify_certificate
from e2ee.identity.device_link import DeviceLink, read_link
from e2ee.identity.errors import CertificateError, IdentityReason
from e2ee.inspection.part import CARRIED, Part
from e2ee.mls.errors import Rule
from e2ee.mls.extension import ExtensionType, find
from e2ee.mls.group_info import GroupInfo, check_group_info_signature
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.labels import verify_with_label
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, check_leaf_signature
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.profile.gone import GoneStatement
from e2ee.tls_syntax import opaque

__all__ = ["Check", "checks"]


@dataclass(frozen=True, slots=True)
class Check:
    """``holds`` is None if the blob does not have what the check needs; ``detail`` then says what."""

    what: str
    offset: int
    holds: bool | None
    references: tuple[str, ...]
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "what": self.what,
            "offset": self.offset,
            "holds": self.holds,
            "references": list(self.references),
            "detail": self.detail,
        }


Path = Sequence[Part]
"""From the outermost part to the one that is looked at."""


def checks(root: Part, data: bytes) -> Iterator[Check]:
    """Every check that applies to a part below ``root``, in the order of the bytes."""
    for path in _paths(root, ()):
        made = path[-1].made
        if made is not None and made in _CHECKS and _is_whole(path[-1]):
            yield from _CHECKS[made](path, data)


def _is_whole(part: Part) -> bool:
    """Whether it was read to its end; what an opaque field of it carries does not matter."""
    return not part.problem and all(
        _is_whole(child) for child in part.children if child.name != CARRIED
    )


def _paths(part: Part, above: Path) -> Iterator[Path]:
    path = (*above, part)
    yield path
    for child in part.children:
        yield from _paths(child, path)


def _decoded(part: Part, data: bytes) -> Any:
    made: Any = part.made
    return made.decode(data[part.offset : part.offset + part.size])


def _judged(
    what: str, part: Part, references: tuple[str, ...], verify: Callable[[], object]
) -> Check:
    """Whether ``verify`` returns."""
    try:
        verify()
    except E2EEError as error:
        return Check(what, part.offset, False, references, str(error))  # noqa: FBT003
    return Check(what, part.offset, True, references)  # noqa: FBT003


def _needs(what: str, part: Part, references: tuple[str, ...], needed: str) -> Check:
    return Check(what, part.offset, None, references, f"needs {needed}")


def _above(path: Path, made: type[Any]) -> Part | None:
    return next((part for part in reversed(path[:-1]) if part.made is made), None)


# What each structure allows


def _key_package(path: Path, data: bytes) -> Iterator[Check]:
    key_package: KeyPackage = _decoded(path[-1], data)
    references = ("RFC 9420 Section 10.1",)
    suite = _suite(key_package.cipher_suite)
    if suite is None:
        yield _needs("KeyPackage signature", path[-1], references, "a suite that is known here")
        return
    signed = key_package.encode().removesuffix(opaque.encode(key_package.signature))
    yield _judged(
        "KeyPackage signature",
        path[-1],
        references,
        lambda: verify_with_label(
            suite,
            key_package.leaf_node.signature_key,
            "KeyPackageTBS",
            signed,
            key_package.signature,
            Rule.KEY_PACKAGE_SIGNATURE,
        ),
    )


def _leaf_node(path: Path, data: bytes) -> Iterator[Check]:
    leaf_node: LeafNode = _decoded(path[-1], data)
    references = ("RFC 9420 Section 7.3",)
    place = _place(path, leaf_node)
    suite = _suite_above(path)
    if suite is None or place is None:
        needed = "its group and leaf index" if suite is not None else "the cipher suite"
        yield _needs("LeafNode signature", path[-1], references, needed)
        return
    yield _judged(
        "LeafNode signature",
        path[-1],
        references,
        lambda: check_leaf_signature(suite, leaf_node, *place),
    )


def _place(path: Path, leaf_node: LeafNode) -> tuple[bytes, int] | None:
    """(group_id, leaf_index) that a leaf was signed for, as far as what it stands in says so."""
    if leaf_node.leaf_node_source is LeafNodeSource.KEY_PACKAGE:
        return b"", 0
    if (message := _above(path, PublicMessage)) is not None:
        content = message.child("content")
        sender = content.child("sender").child("index").value
        return (bytes.fromhex(str(content.child("group_id").value)), sender) if isinstance(sender, int) else None  # fmt: skip
    if (group_info := _above(path, GroupInfo)) is not None:
        group_id = group_info.child("group_context").child("group_id").value
        index = next(part.name for part in reversed(path) if part.name.startswith("["))
        return bytes.fromhex(str(group_id)), int(index.strip("[]")) // 2
    return None


def _suite_above(path: Path) -> CipherSuite | None:
    for made, places in ((KeyPackage, ()), (GroupInfo, ("group_context",))):
        part = _above(path, made)
        if part is not None:
            for place in places:
                part = part.child(place)
            return _suite(part.child("cipher_suite").value)
    # Both suites of calls sign with Ed25519, and neither the key nor what is signed says which of them it is.
    return _suite(0x0001) if path[-1].child("signature_key").size == 33 else None


def _suite(code_point: object) -> CipherSuite | None:
    if not isinstance(code_point, int):
        return None
    try:
        return cipher_suite(code_point)
    except UnsupportedCipherSuite:
        return None


def _group_info(path: Path, data: bytes) -> Iterator[Check]:
    group_info: GroupInfo = _decoded(path[-1], data)
    references = ("RFC 9420 Section 12.4.3",)
    suite = _suite(group_info.group_context.cipher_suite)
    encoded = find(group_info.extensions, ExtensionType.RATCHET_TREE)
    if suite is None or encoded is None:
        yield _needs("GroupInfo signature", path[-1], references, "the group's tree")
        return
    try:
        tree = RatchetTree.decode(suite, encoded, maximum_leaves=1 << 12)
    except E2EEError as error:
        yield Check("ratchet tree", path[-1].offset, False, references, str(error))  # noqa: FBT003
        return
    yield _judged("GroupInfo signature", path[-1], references, lambda: check_group_info_signature(group_info, tree))  # fmt: skip
    same = tree_hash(tree) == group_info.group_context.tree_hash
    yield Check("tree hash", path[-1].offset, same, ("RFC 9420 Section 12.4.3.1",))


def _public_message(path: Path, _data: bytes) -> Iterator[Check]:
    needed = "the GroupContext of its epoch and the sender's leaf"
    yield _needs("PublicMessage signature", path[-1], ("RFC 9420 Section 6.1",), needed)


def _certificate(path: Path, data: bytes) -> Iterator[Check]:
    part = path[-1]
    encoded = data[part.offset : part.offset + part.size]
    key = _signature_key(path)
    if key is None:
        yield _judged("certificate fields", part, ("IDENT-1", "IDENT-2"), lambda: _fields(encoded))
        yield _needs("account signature", part, ("IDENT-3",), "the device's signature key")
    else:
        references = ("IDENT-1", "IDENT-2", "IDENT-3")
        yield _judged(
            "account signature", part, references, lambda: verify_certificate(encoded, key)
        )
    yield _needs("attestation", part, ("IDENT-4",), "the directory's key")


def _fields(encoded: bytes) -> None:
    """What is looked at before the signature, which no key but the device's makes."""
    try:
        verify_certificate(encoded, bytes(32))
    except CertificateError as error:
        if error.reason is not IdentityReason.BAD_ACCOUNT_SIGNATURE:
            raise


def _signature_key(path: Path) -> bytes | None:
    """That of the leaf, or the field of that name beside the certificate."""
    for part in reversed(path[:-1]):
        for child in part.children:
            if child.name == "signature_key" and isinstance(child.value, str):
                return bytes.fromhex(child.value)
    return None


def _device_link(path: Path, data: bytes) -> Iterator[Check]:
    link: DeviceLink = _decoded(path[-1], data)
    yield _judged("device link signature", path[-1], ("IDENT-20",), lambda: read_link(link.text()))


def _gone_statement(path: Path, _data: bytes) -> Iterator[Check]:
    yield _needs("GoneStatement signature", path[-1], ("KEYS-24",), "the delivery key")


_CHECKS: Mapping[type[Any], Callable[[Path, bytes], Iterator[Check]]] = {
    KeyPackage: _key_package,
    LeafNode: _leaf_node,
    GroupInfo: _group_info,
    PublicMessage: _public_message,
    DeviceCertificate: _certificate,
    DeviceLink: _device_link,
    GoneStatement: _gone_statement,
}
