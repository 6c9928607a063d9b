"""Every leaf is a device of an account, and the leaves of a group do not contradict each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import DecodeError, RemoteProtocolError
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.errors import IdentityReason
from e2ee.mls.credential import Certificate, Credential, CredentialType
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.roster import check_roster, leaf_certificate, roster

if TYPE_CHECKING:
    from tests.profile.conftest import Device, MakeDevice


def tree_of(*devices: Device) -> RatchetTree:
    tree = RatchetTree.of_leaf(cipher_suite(0x0001), devices[0].leaf_node)
    for device in devices[1:]:
        tree, _ = tree.add(device.leaf_node)
    return tree


@pytest.mark.requirement("KEYS-6")
def test_the_roster_is_who_the_leaves_are(make_device: MakeDevice) -> None:
    alice, bob_1, bob_2 = make_device("alice"), make_device("bob", 1), make_device("bob", 2)
    members = roster(tree_of(alice, bob_1, bob_2))
    assert members == {0: alice.certificate, 1: bob_1.certificate, 2: bob_2.certificate}
    assert [members[leaf].account_id for leaf in members] == ["alice", "bob", "bob"]


@pytest.mark.requirement("KEYS-6")
def test_a_leaf_without_a_basic_credential_is_refused(make_device: MakeDevice) -> None:
    x509 = Credential(CredentialType.X509, (Certificate(b"DER"),))
    with pytest.raises(ProfileError) as refused:
        leaf_certificate(make_device("alice", credential=x509).leaf_node)
    assert refused.value.reason is ProfileReason.CREDENTIAL_NOT_BASIC


@pytest.mark.requirement("KEYS-6", "IDENT-3")
def test_a_leaf_with_anothers_certificate_is_refused(make_device: MakeDevice) -> None:
    alice = make_device("alice")
    impostor = make_device("mallory", credential=alice.leaf_node.credential)
    with pytest.raises(RemoteProtocolError) as refused:
        leaf_certificate(impostor.leaf_node)
    assert refused.value.reason is IdentityReason.BAD_ACCOUNT_SIGNATURE


@pytest.mark.requirement("KEYS-6")
@pytest.mark.parametrize("identity", [b"", b"alice", bytes(200)])
def test_a_leaf_whose_identity_is_no_certificate_is_refused(
    make_device: MakeDevice, identity: bytes
) -> None:
    leaf_node = make_device("alice", credential=Credential.basic(identity)).leaf_node
    with pytest.raises(RemoteProtocolError) as refused:
        leaf_certificate(leaf_node)
    assert isinstance(refused.value, DecodeError) or refused.value.reason in IdentityReason


@pytest.mark.requirement("IDENT-11")
def test_one_account_id_has_one_account_key(make_device: MakeDevice) -> None:
    other_bob = AccountKey.create("bob", SeededEntropy(b"another bob"))
    with pytest.raises(ProfileError) as refused:
        roster(tree_of(make_device("bob", 1), make_device("bob", 2, account=other_bob)))
    assert refused.value.reason is ProfileReason.ACCOUNT_KEYS_DIFFER


@pytest.mark.requirement("IDENT-11")
def test_a_device_is_in_a_group_once(make_device: MakeDevice) -> None:
    bob, alice = make_device("bob", 1).certificate, make_device("alice", 1).certificate
    check_roster({0: alice, 1: bob})  # the same device_id of two accounts
    again = replace(bob, signature_key=bytes(32))
    with pytest.raises(ProfileError) as refused:
        check_roster({0: alice, 1: bob, 2: again})
    assert refused.value.reason is ProfileReason.DEVICE_NOT_UNIQUE


class TestWhoIsKnownAlready:
    """A call of 1,000 verifies the certificate of who is new, not of everybody again."""

    @pytest.fixture
    def verified(self, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
        """The signature keys for which certificates are verified from now on."""
        seen: list[bytes] = []

        def verify(identity: bytes, signature_key: bytes) -> VerifiedCertificate:
            seen.append(signature_key)
            return verify_certificate(identity, signature_key)

        monkeypatch.setattr("e2ee.profile.roster.verify_certificate", verify)
        return seen

    @pytest.mark.requirement("KEYS-6")
    def test_is_not_verified_again(self, make_device: MakeDevice, verified: list[bytes]) -> None:
        alice, bob, carol = (make_device(name) for name in ("alice", "bob", "carol"))
        known = roster(tree_of(alice, bob))
        verified.clear()
        members = roster(tree_of(alice, bob, carol), known)
        assert verified == [carol.key.public]
        assert members == roster(tree_of(alice, bob, carol))

    @pytest.mark.requirement("KEYS-6", "IDENT-3")
    def test_is_known_by_key_and_certificate(
        self, make_device: MakeDevice, verified: list[bytes]
    ) -> None:
        """Else somebody's leaf could carry a certificate that was right in the leaf before it."""
        alice, bob, mallory = (make_device(name) for name in ("alice", "bob", "mallory"))
        known = roster(tree_of(alice, bob))
        for impostor in (
            replace(mallory.leaf_node, credential=bob.leaf_node.credential),
            replace(bob.leaf_node, credential=mallory.leaf_node.credential),
        ):
            verified.clear()
            tree, _ = tree_of(alice).add(impostor)
            with pytest.raises(RemoteProtocolError) as refused:
                roster(tree, known)
            assert refused.value.reason is IdentityReason.BAD_ACCOUNT_SIGNATURE
            assert verified == [impostor.signature_key]

    @pytest.mark.requirement("IDENT-11")
    def test_stands_together_with_who_is_new(self, make_device: MakeDevice) -> None:
        alice, bob = make_device("alice"), make_device("bob")
        other = make_device("bob", 2, account=AccountKey.create("bob", SeededEntropy(b"another")))
        with pytest.raises(ProfileError) as refused:
            roster(tree_of(alice, bob, other), roster(tree_of(alice, bob)))
        assert refused.value.reason is ProfileReason.ACCOUNT_KEYS_DIFFER
