"""RFC 9420 Section 13.5: GREASE is sent where it is ignored, ignored where it is received, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import DecodeError, DecodeReason
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.grease import (
    GREASE,
    grease_extension,
    grease_extensions,
    with_grease,
    without_grease,
)
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.joining import join
from e2ee.mls.key_package import check_key_package
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import Assembly, receiving, sending

OURS = Capabilities((1,), (1, 3), (0xF0C1,), (0xF001,), (1, 2))
GREASED = ("cipher_suites", "extensions", "proposals", "credentials")

seeds = st.binary(min_size=1, max_size=8).map(SeededEntropy)


def test_the_values_are_those_of_the_registries() -> None:
    assert [f"{value:04X}" for value in GREASE] == [
        f"{digit}A{digit}A" for digit in "0123456789ABCDE"
    ]


@given(seeds)
def test_every_list_but_the_versions_gets_some_and_keeps_its_order(entropy: SeededEntropy) -> None:
    greased = with_grease(OURS, entropy)
    assert greased.versions == OURS.versions
    for name in GREASED:
        added = [value for value in getattr(greased, name) if value in GREASE]
        assert 1 <= len(added) <= 3
        assert len(set(added)) == len(added)
    assert without_grease(greased) == OURS


def test_lists_that_are_full_of_it_stay_as_they_are() -> None:
    full = replace(OURS, **dict.fromkeys(GREASED, GREASE))
    assert with_grease(full, SeededEntropy(b"")) == full
    assert without_grease(full) == replace(OURS, **dict.fromkeys(GREASED, ()))


@given(seeds)
def test_extensions_have_the_types_that_are_listed(entropy: SeededEntropy) -> None:
    listed = with_grease(OURS, entropy)
    types = [extension.extension_type for extension in grease_extensions(listed, entropy)]
    assert types == [value for value in listed.extensions if value in GREASE]
    assert grease_extension(entropy).extension_type in GREASE


def test_all_values_and_places_are_drawn() -> None:
    drawn = [with_grease(OURS, SeededEntropy(bytes([n]))).extensions for n in range(200)]
    assert {value for extensions in drawn for value in extensions} == {0xF0C1, *GREASE}
    assert {extensions.index(0xF0C1) for extensions in drawn} == {0, 1, 2, 3}
    assert {grease_extension(SeededEntropy(bytes([n]))).extension_type for n in range(200)} == {
        *GREASE
    }


@settings(max_examples=5)
@given(seeds)
@pytest.mark.parametrize("suite", [0x0001, 0x0002])
def test_members_who_send_it_live_as_others_do(suite: int, entropy: SeededEntropy) -> None:
    """In KeyPackages, in the leaves that come of them, after Updates and paths, and in what joiners are told."""
    assembly = Assembly(cipher_suite(suite), entropy, "alice", "bob", "carol", grease=True)
    for bundle in assembly.bundles.values():
        leaf_node = bundle.key_package.leaf_node
        check_key_package(assembly.suite, bundle.key_package, sending())
        assert {e.extension_type for e in bundle.key_package.extensions} <= {*GREASE}
        assert {e.extension_type for e in leaf_node.extensions} <= {
            *leaf_node.capabilities.extensions
        }
        assert leaf_node.extensions
    update = assembly.groups["bob"].propose_update(entropy=entropy)
    for name in ("alice", "carol"):
        assembly.groups[name].receive(update.message, policy=receiving())
    assembly.commit("alice", assembly.add("dave"), references=[update.reference])
    assembly.commit("dave", assembly.remove("carol"))
    assert assembly.agree()
    for member in assembly.groups["alice"].members():
        listed = member.leaf_node.capabilities
        assert without_grease(listed) != listed


def test_group_infos_with_it_are_read(assembly: Assembly) -> None:
    grease = tuple(Extension(value, b"anything") for value in GREASE)
    alice = assembly.groups["alice"]
    told = alice.group_info(extensions=grease).body
    assert isinstance(told, GroupInfo)
    assert told.extensions[:15] == grease
    assert {e.extension_type for e in told.extensions[15:]} == {
        ExtensionType.RATCHET_TREE,
        ExtensionType.EXTERNAL_PUB,
    }
    pending = assembly.pending("alice", assembly.add("dave"), group_info_extensions=grease)
    assert pending.welcome is not None
    assert isinstance(pending.welcome.body, Welcome)
    assert join(pending.welcome.body, assembly.bundles["dave"], policy=receiving()).epoch == 2


def test_a_credential_of_such_a_type_is_none() -> None:
    with pytest.raises(DecodeError) as refused:
        Credential.decode(b"\x0a\x0a\x00")
    assert refused.value.reason is DecodeReason.UNKNOWN_VALUE


def test_who_does_not_ask_for_it_sends_none(assembly: Assembly) -> None:
    for bundle in assembly.bundles.values():
        capabilities = bundle.key_package.leaf_node.capabilities
        assert without_grease(capabilities) == capabilities
        assert bundle.key_package.extensions == bundle.key_package.leaf_node.extensions == ()
