"""What the clients of the peer say of themselves, and keep from leaf to leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.mls.credential import CredentialType
from e2ee.mls.extension import ExtensionType
from e2ee.mls.grease import GREASE, without_grease
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message import MLSMessage
from e2ee.testing.mls_members import NOW

if TYPE_CHECKING:
    from tests.conformance.mls_peer.conftest import Talk

MINE, OURS = 0xF001, 0xF002


def key_package_of(talk: Talk, **fields: Any) -> KeyPackage:
    body = MLSMessage.decode(bytes.fromhex(talk.client("a", **fields))).body
    assert isinstance(body, KeyPackage)
    return body


def own_leaf(talk: Talk) -> LeafNode:
    group = talk.peer._clients["a"]._group
    assert group is not None
    leaf_node = group.tree.leaf(group.own_leaf_index)
    assert leaf_node is not None
    return leaf_node


def test_a_client_supports_what_the_library_does(talk: Talk) -> None:
    supported = without_grease(key_package_of(talk, extensions=[MINE]).leaf_node.capabilities)
    assert supported.cipher_suites == tuple(CIPHER_SUITES)
    assert supported.credentials == tuple(CredentialType)
    assert (supported.extensions, supported.proposals) == ((MINE,), ())


def test_a_client_lists_what_nobody_knows(talk: Talk) -> None:
    key_package = key_package_of(talk)
    assert set(GREASE) & set(key_package.leaf_node.capabilities.credentials)
    assert {extension.extension_type for extension in key_package.extensions} <= set(GREASE)
    assert key_package.extensions


def test_a_key_package_is_valid_for_clocks_that_are_behind(talk: Talk) -> None:
    lifetime = key_package_of(talk).leaf_node.lifetime
    assert lifetime is not None
    assert lifetime.not_before == NOW // 1000 - 3600
    assert lifetime.not_after == NOW // 1000 + 28 * 86_400


def test_a_creator_lists_the_extensions_of_its_group_too(talk: Talk) -> None:
    published = key_package_of(talk, extensions=[MINE]).leaf_node
    extensions = [[OURS, ""], [MINE, ""], [ExtensionType.REQUIRED_CAPABILITIES, "000000"]]
    talk.ask("create", id="a", group_id="00", extensions=extensions)
    leaf_node = own_leaf(talk)
    assert without_grease(leaf_node.capabilities).extensions == (MINE, OURS)
    assert leaf_node.signature_key == published.signature_key
    assert leaf_node.encryption_key != published.encryption_key
