"""MLS objects of members: others take them, and what almost is one is refused for the rule that it breaks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.crypto import cipher_suite as suites
from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential
from e2ee.mls.errors import ValidationError
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import ApplicationMessage
from e2ee.mls.group_info import GroupInfo, check_group_info_signature
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage, check_key_package
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import LeafNode, check_leaf_signature
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.testing.mls_members import Assembly, Client, receiving
from e2ee.testing.strategies import (
    almost_key_packages,
    application_messages,
    assemblies,
    bundles,
    capabilities,
    cipher_suites,
    clients,
    commits,
    credentials,
    group_infos,
    key_packages,
    leaf_nodes,
    private_messages,
    proposals,
    public_messages,
    ratchet_trees,
    welcomes,
)
from e2ee.testing.strategies.mls import AlmostKeyPackage, Committed, Invitation, Said, Sent

SOME = settings(max_examples=max(5, settings().max_examples // 10))
"""Of the profile's examples: each is a whole group."""


@given(cipher_suites(), clients())
def test_suites_and_clients_have_keys(suite: CipherSuite, client: Client) -> None:
    assert suite.code_point in suites.CIPHER_SUITES
    assert client.signing_key.public


@given(credentials(), capabilities())
def test_credentials_and_capabilities_come_back(made: Credential, can: Capabilities) -> None:
    assert Credential.decode(made.encode()) == made
    assert Capabilities.decode(can.encode()) == can
    assert 0x0001 in can.cipher_suites


@given(key_packages(), bundles(), leaf_nodes())
def test_whoever_adds_somebody_takes_the_key_package(
    key_package: KeyPackage, bundle: KeyPackageBundle, leaf_node: LeafNode
) -> None:
    for each in (key_package, bundle.key_package):
        check_key_package(suites.cipher_suite(each.cipher_suite), each, receiving())
    known = set(leaf_node.capabilities.cipher_suites) & suites.CIPHER_SUITES.keys()
    check_leaf_signature(suites.cipher_suite(known.pop()), leaf_node, b"", 0)


@given(almost_key_packages())
def test_what_almost_is_a_key_package_is_refused(almost: AlmostKeyPackage) -> None:
    with pytest.raises(ValidationError) as refused:
        check_key_package(almost.suite, almost.key_package, receiving())
    assert refused.value.reason is almost.rule


@SOME
@given(assemblies())
def test_all_members_of_an_assembly_are_in_one_state(assembly: Assembly) -> None:
    assert assembly.agree()
    assert 1 <= len(assembly.groups) <= 6


@SOME
@given(commits())
def test_a_commit_is_followed_by_all(committed: Committed) -> None:
    assembly, before = committed.assembly, committed.assembly.groups[committed.committer].epoch
    assembly.deliver(committed.committer, committed.pending)
    assert assembly.groups[committed.committer].epoch == before + 1
    assert assembly.agree()


@SOME
@given(st.data())
def test_proposals_are_committed_together(data: st.DataObject) -> None:
    assembly = data.draw(assemblies(fewest=2))
    assembly.commit("alice", *data.draw(proposals(assembly, "alice")))
    assert assembly.agree()


@SOME
@given(welcomes())
def test_who_is_welcome_joins(invitation: Invitation) -> None:
    group = join(invitation.welcome, invitation.bundle, policy=receiving())
    assert group.epoch > 0


@SOME
@given(application_messages())
def test_what_is_said_opens_for_the_others(said: Said) -> None:
    for name, group in said.assembly.groups.items():
        if name != said.sender:
            received = group.receive(said.message, policy=receiving())
            assert isinstance(received, ApplicationMessage)
            assert received.data == said.data


@SOME
@given(public_messages(), private_messages())
def test_messages_are_taken_by_another_member(public: Sent, private: Sent) -> None:
    assert public.message.wire_format is WireFormat.PUBLIC_MESSAGE
    assert private.message.wire_format is WireFormat.PRIVATE_MESSAGE
    for sent in (public, private):
        other = next(name for name in sorted(sent.assembly.groups) if name != sent.sender)
        sent.assembly.groups[other].receive(sent.message, policy=receiving())


@SOME
@given(group_infos())
def test_a_group_info_is_signed(group_info: GroupInfo) -> None:
    assert GroupInfo.decode(group_info.encode()) == group_info
    assert group_info.signature


@SOME
@given(assemblies())
def test_a_group_info_is_signed_by_who_says_it(assembly: Assembly) -> None:
    check_group_info_signature(assembly.group_info("alice"), assembly.groups["alice"].tree)


@SOME
@given(ratchet_trees())
def test_a_tree_comes_back(tree: RatchetTree) -> None:
    assert RatchetTree.decode(tree.suite, tree.encode()) == tree
