"""Joining by a Welcome: each step of RFC 9420 Section 12.4.3.1, and a committer who lies in one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import Reason, RemoteProtocolError
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.group import Group
from e2ee.mls.group_info import GroupInfo, sign_group_info
from e2ee.mls.group_secrets import (
    GroupSecrets,
    PathSecret,
    open_group_info,
    open_group_secrets,
    seal_group_info,
    seal_group_secrets,
)
from e2ee.mls.joining import join
from e2ee.mls.key_package import LAST_RESORT
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.key_schedule import derive_welcome_secret, zero_secret
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.proposal import Add, PreSharedKey
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.mls.welcome import EncryptedGroupSecrets, Welcome
from e2ee.testing.mls_forge.clients import make_client
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.epochs import create_group
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.welcomes import Welcoming, welcome
from e2ee.testing.mls_members import NOW, Assembly, Client, receiving

DAY = 24 * 60 * 60 * 1000
PSK_ID = PreSharedKeyID.external(b"link", bytes(32))


@dataclass
class Invitation:
    """Dave's Welcome into the group of Alice, Bob and Carol, and what somebody could make of it.

    Whoever was welcomed together with Dave, and every member, knows all that is inside; only signatures are beyond them.
    """

    assembly: Assembly

    def __post_init__(self) -> None:
        pending = self.assembly.pending("alice", self.assembly.add("dave"))
        assert pending.welcome is not None
        assert isinstance(pending.welcome.body, Welcome)
        self.welcome = pending.welcome.body
        self.dave = self.assembly.bundles["dave"]
        self.suite = self.dave.suite
        (entry,) = self.welcome.secrets
        self.new_member = entry.new_member
        self.secrets = open_group_secrets(
            self.suite,
            self.dave.init_private_key,
            self.welcome.encrypted_group_info,
            entry.encrypted_group_secrets,
        )
        self.info = open_group_info(
            self.suite, self.welcome_secret(self.secrets), self.welcome.encrypted_group_info
        )

    def welcome_secret(self, secrets: GroupSecrets) -> Secret:
        kdf = self.suite.kdf
        return derive_welcome_secret(kdf, secrets.joiner_secret, zero_secret(kdf))

    def signed(self, by: str, **changes: Any) -> GroupInfo:
        key = self.assembly.bundles[by].signature_private_key
        return sign_group_info(self.suite, replace(self.info, **changes), key)

    def sealed(self, info: GroupInfo | None = None, secrets: GroupSecrets | None = None) -> Welcome:
        """A Welcome with other contents."""
        info, secrets = info or self.info, secrets or self.secrets
        sealed_info = seal_group_info(self.suite, self.welcome_secret(secrets), info)
        (sealed,) = seal_group_secrets(
            self.suite,
            sealed_info,
            [(self.dave.key_package.init_key, secrets)],
            self.assembly.entropy,
        )
        entry = EncryptedGroupSecrets(self.new_member, sealed)
        return Welcome(self.suite.code_point, (entry,), sealed_info)

    def refusal(self, welcome: Welcome, **options: Any) -> Reason:
        return refusal(lambda: self.join(welcome, **options))

    def join(self, welcome: Welcome, **options: Any) -> Group:
        return join(welcome, self.dave, **({"policy": receiving()} | options))


def refusal(action: Callable[[], object]) -> Reason:
    with pytest.raises(ValidationError) as refused:
        action()
    return refused.value.reason


@pytest.fixture
def invitation(assembly: Assembly) -> Invitation:
    return Invitation(assembly)


def test_who_is_welcomed_is_given_no_key_for_others(invitation: Invitation) -> None:
    """Whether a group can be joined from outside is said by ``Group.group_info``, not by the way."""
    types = [extension.extension_type for extension in invitation.info.extensions]

    assert types == [ExtensionType.RATCHET_TREE]


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8])
def test_newcomers_of_one_commit_arrive_in_the_same_epoch(
    suite: CipherSuite, size: int, hybrid_entropy: SeededEntropy
) -> None:
    names = [f"newcomer {n}" for n in range(size)]

    assembly = Assembly(suite, hybrid_entropy, "alice", *names)

    assert assembly.agree()
    assert [assembly.groups[name].own_leaf_index for name in names] == list(range(1, size + 1))


def test_a_welcome_that_was_sealed_again_unchanged_is_good(invitation: Invitation) -> None:
    assert invitation.join(invitation.sealed()).epoch == 2


class TestTheWelcome:
    def test_for_somebody_else(self, invitation: Invitation) -> None:
        erin = invitation.assembly.bundle("erin")

        reason = refusal(lambda: join(invitation.welcome, erin, policy=receiving()))

        assert reason is Rule.WELCOME_NOT_FOR_THIS_KEY_PACKAGE

    def test_sealed_to_somebody_else_under_our_reference(self, invitation: Invitation) -> None:
        erin = invitation.assembly.bundle("erin").key_package
        (sealed,) = seal_group_secrets(
            invitation.suite,
            invitation.welcome.encrypted_group_info,
            [(erin.init_key, invitation.secrets)],
            invitation.assembly.entropy,
        )
        entry = EncryptedGroupSecrets(invitation.new_member, sealed)

        reason = invitation.refusal(replace(invitation.welcome, secrets=(entry,)))

        assert reason is Rule.WELCOME_NOT_AUTHENTIC

    def test_of_another_cipher_suite(self, invitation: Invitation) -> None:
        other = replace(invitation.welcome, cipher_suite=0xF0E2)

        assert invitation.refusal(other) is Rule.WELCOME_CIPHER_SUITE

    def test_with_a_changed_group_info(self, invitation: Invitation) -> None:
        sealed = bytearray(invitation.welcome.encrypted_group_info)
        sealed[5] ^= 1

        reason = invitation.refusal(replace(invitation.welcome, encrypted_group_info=bytes(sealed)))

        assert reason is Rule.WELCOME_NOT_AUTHENTIC

    def test_whose_group_info_does_not_open(self, invitation: Invitation) -> None:
        other = replace(invitation.secrets, joiner_secret=Secret(bytes(32)))
        good = invitation.sealed()
        (sealed,) = seal_group_secrets(
            invitation.suite,
            good.encrypted_group_info,
            [(invitation.dave.key_package.init_key, other)],
            invitation.assembly.entropy,
        )
        entry = EncryptedGroupSecrets(invitation.new_member, sealed)

        reason = invitation.refusal(replace(good, secrets=(entry,)))

        assert reason is Rule.GROUP_INFO_NOT_AUTHENTIC

    def test_into_a_group_that_we_are_in(self, invitation: Invitation) -> None:
        reason = invitation.refusal(invitation.welcome, group_ids_in_use={b"the assembly"})

        assert reason is Rule.GROUP_ID_IN_USE
        assert invitation.join(invitation.welcome, group_ids_in_use={b"another"})


class TestPreSharedKeys:
    def welcome(self, assembly: Assembly, key: bytes) -> Welcome:
        pending = assembly.pending(
            "alice", assembly.add("dave"), PreSharedKey(PSK_ID), psks={b"link": Secret(key)}
        )
        assert pending.welcome is not None
        assert isinstance(pending.welcome.body, Welcome)
        return pending.welcome.body

    def test_who_has_the_key_joins(self, assembly: Assembly) -> None:
        welcome = self.welcome(assembly, b"key")

        psks: dict[PskName, Secret] = {b"link": Secret(b"key")}

        assert join(welcome, assembly.bundles["dave"], policy=receiving(), psks=psks).epoch == 2

    def test_who_does_not_is_refused_also_if_the_key_is_empty(self, assembly: Assembly) -> None:
        for key in (b"key", b"", bytes(32)):
            welcome = self.welcome(assembly, key)
            joining = partial(join, welcome, assembly.bundles["dave"], policy=receiving())
            assert refusal(joining) is Rule.PSK_UNKNOWN

    def test_who_asks_for_a_key_joins_by_a_welcome_that_names_it(self, assembly: Assembly) -> None:
        welcome = self.welcome(assembly, b"key")
        psks: dict[PskName, Secret] = {b"link": Secret(b"key"), b"another": Secret(b"key")}
        joining = partial(join, welcome, assembly.bundles["dave"], policy=receiving(), psks=psks)

        assert refusal(partial(joining, required_psks=[b"another"])) is Rule.REQUIRED_PSK_MISSING
        both: tuple[PskName, ...] = (b"link", b"another")
        assert refusal(partial(joining, required_psks=both)) is Rule.REQUIRED_PSK_MISSING
        assert joining(required_psks=[b"link"]).epoch == 2

    def test_who_asks_for_a_key_joins_by_no_welcome_without_one(self, assembly: Assembly) -> None:
        """As whoever has the init_key's public half can make: the key is what its maker may not have."""
        pending = assembly.pending("alice", assembly.add("dave"))
        assert pending.welcome is not None
        assert isinstance(pending.welcome.body, Welcome)
        joining = partial(
            join,
            pending.welcome.body,
            assembly.bundles["dave"],
            policy=receiving(),
            psks={b"link": Secret(b"key")},
        )

        assert refusal(partial(joining, required_psks=[b"link"])) is Rule.REQUIRED_PSK_MISSING
        assert joining().epoch == 2

    def test_who_has_another_key_opens_nothing(self, assembly: Assembly) -> None:
        welcome = self.welcome(assembly, b"key")
        psks: dict[PskName, Secret] = {b"link": Secret(b"another")}

        reason = refusal(
            lambda: join(welcome, assembly.bundles["dave"], policy=receiving(), psks=psks)
        )

        assert reason is Rule.GROUP_INFO_NOT_AUTHENTIC


class TestTheGroupInfo:
    def test_signed_by_a_member_who_is_not_its_signer(self, invitation: Invitation) -> None:
        """Bob knows the joiner_secret too, so he could seal a GroupInfo; he cannot say that Alice signed it."""
        info = invitation.signed("bob")

        assert invitation.refusal(invitation.sealed(info)) is Rule.GROUP_INFO_SIGNATURE

    @pytest.mark.parametrize("signature", [b"", bytes(64)])
    def test_signed_by_nobody(self, invitation: Invitation, signature: bytes) -> None:
        info = replace(invitation.info, signature=signature)

        assert invitation.refusal(invitation.sealed(info)) is Rule.GROUP_INFO_SIGNATURE

    @pytest.mark.parametrize("signer", [4, 7, 1000])
    def test_whose_signer_is_nobody(self, invitation: Invitation, signer: int) -> None:
        info = invitation.signed("alice", signer=signer)

        assert invitation.refusal(invitation.sealed(info)) is Rule.GROUP_INFO_SIGNER_BLANK

    @pytest.mark.parametrize("length", [0, 31, 32, 33])
    def test_with_a_wrong_confirmation_tag(self, invitation: Invitation, length: int) -> None:
        info = invitation.signed("alice", confirmation_tag=bytes(length))

        assert invitation.refusal(invitation.sealed(info)) is Rule.CONFIRMATION_TAG

    def test_of_another_cipher_suite(self, invitation: Invitation) -> None:
        context = replace(invitation.info.group_context, cipher_suite=0xF0E2)
        info = invitation.signed("alice", group_context=context)

        assert invitation.refusal(invitation.sealed(info)) is Rule.GROUP_INFO_CIPHER_SUITE

    def test_of_an_epoch_that_its_tag_does_not_confirm(self, invitation: Invitation) -> None:
        context = replace(invitation.info.group_context, epoch=7)
        info = invitation.signed("alice", group_context=context)

        assert invitation.refusal(invitation.sealed(info)) is Rule.CONFIRMATION_TAG


class TestTheTree:
    def test_missing(self, invitation: Invitation) -> None:
        info = invitation.signed("alice", extensions=())

        assert invitation.refusal(invitation.sealed(info)) is Rule.RATCHET_TREE_MISSING

    def test_out_of_band_or_in_the_welcome_or_both(self, invitation: Invitation) -> None:
        """One that came out of band is the one that counts; the tree hash says whether it is the right one."""
        inside = next(e for e in invitation.info.extensions if e.extension_type == 2)
        without = invitation.sealed(invitation.signed("alice", extensions=()))
        stale = Extension(2, invitation.assembly.groups["alice"].tree.encode())
        with_stale = invitation.sealed(invitation.signed("alice", extensions=(stale,)))
        tree = inside.extension_data

        assert invitation.join(without, ratchet_tree=tree).epoch == 2
        assert invitation.join(invitation.welcome, ratchet_tree=tree).epoch == 2
        assert invitation.join(with_stale, ratchet_tree=tree).epoch == 2
        assert invitation.refusal(with_stale) is Rule.TREE_HASH

    @pytest.mark.parametrize("fault", [b"", b"\x00", b"\x01\x00", b"\x02\x01\x01"])
    def test_out_of_band_but_not_a_tree(self, invitation: Invitation, fault: bytes) -> None:
        with pytest.raises(RemoteProtocolError):
            invitation.join(invitation.welcome, ratchet_tree=fault)

    def test_of_another_epoch(self, invitation: Invitation) -> None:
        tree = invitation.assembly.groups["alice"].tree.encode()

        reason = invitation.refusal(invitation.welcome, ratchet_tree=tree)

        assert reason is Rule.TREE_HASH

    def test_without_our_leaf(self, invitation: Invitation) -> None:
        """The committer welcomes us into a group that it did not add us to."""
        alice = invitation.assembly.groups["alice"]
        tree = Extension(ExtensionType.RATCHET_TREE, alice.tree.encode())
        info = invitation.signed("alice", group_context=alice.group_context, extensions=(tree,))

        assert invitation.refusal(invitation.sealed(info)) is Rule.OWN_LEAF_NOT_IN_TREE

    def test_with_a_leaf_whose_lifetime_has_ended(self, invitation: Invitation) -> None:
        late = receiving(NOW + 3 * DAY)

        assert invitation.refusal(invitation.welcome, policy=late) is Rule.LEAF_EXPIRED


class TestThePathSecret:
    def test_missing(self, invitation: Invitation) -> None:
        secrets = replace(invitation.secrets, path_secret=None)

        assert invitation.refusal(invitation.sealed(secrets=secrets)) is Rule.PATH_SECRET_MISSING

    def test_of_a_node_that_the_committer_left_blank(self) -> None:
        """A commit without a path sets no key, so there is none that a path secret could give."""
        forge = Forge(cipher_suite(0x0001), SeededEntropy(b"blank"))
        alice, bob = make_client(forge, "alice"), make_client(forge, "bob")
        created = create_group(forge, alice, b"group")
        added = commit(forge, created, 0, Add(bob.key_package), committing=Committing(path=None))
        given = PathSecret(Secret(bytes(32)))
        bundle = KeyPackageBundle.of(
            bob.key_package, bob.init.private, bob.encryption.private, bob.signing_key.private
        )
        for welcoming, accepted in (
            (Welcoming(), True),
            (Welcoming(group_secrets=lambda s: replace(s, path_secret=given)), False),
        ):
            body = welcome(forge, added, bob, 1, welcoming).body
            assert isinstance(body, Welcome)
            joining = partial(join, body, bundle, policy=receiving())
            if accepted:
                assert joining().epoch == 1
            else:
                assert refusal(joining) is Rule.PATH_SECRET_WRONG_KEY

    @pytest.mark.parametrize("value", [b"", bytes(32), bytes(33)])
    def test_of_other_keys_than_the_trees(self, invitation: Invitation, value: bytes) -> None:
        secrets = replace(invitation.secrets, path_secret=PathSecret(Secret(value)))

        reason = invitation.refusal(invitation.sealed(secrets=secrets))

        assert reason is Rule.PATH_SECRET_WRONG_KEY


def test_the_bundle_is_the_joiners(invitation: Invitation) -> None:
    group = invitation.join(invitation.welcome)

    assert group.own_leaf_index == 3
    assert group.tree.leaf(3) == invitation.dave.key_package.leaf_node


def test_a_newcomer_can_commit_at_once(invitation: Invitation) -> None:
    pending = invitation.assembly.pending("alice", invitation.assembly.add("erin"))

    invitation.assembly.deliver("alice", pending)
    invitation.assembly.commit("erin", invitation.assembly.remove("bob"))

    assert invitation.assembly.agree()


def test_many_newcomers_in_a_tree_with_gaps() -> None:
    assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"gaps"), *"abcdefgh")
    assembly.commit("a", assembly.remove("b"), assembly.remove("d"), assembly.remove("g"))
    assembly.commit("h", *(assembly.add(name) for name in "ijkl"))
    assembly.commit("k")
    assembly.commit("i", assembly.remove("a"))

    assert assembly.agree()


def test_a_key_package_of_last_resort_is_used_again() -> None:
    """Its bundle stays after a join; a commit gives each group a leaf of its own."""
    suite, entropy = cipher_suite(0x0001), SeededEntropy(b"last resort")
    bob = Client.make("bob", suite, entropy)
    listed = Capabilities((1,), (0x0001,), (LAST_RESORT.extension_type,), (), (1,))
    lifetime = Lifetime(NOW // 1000 - 60, NOW // 1000 + 60)
    bundle = KeyPackageBundle.generate(
        suite,
        bob.signing_key,
        Credential.basic(b"bob"),
        listed,
        lifetime,
        entropy,
        extensions=(LAST_RESORT,),
    )
    leaves = set()
    for name in ("alice", "carol"):
        assembly = Assembly(suite, entropy, name)
        assembly.bundles["bob"] = bundle
        pending = assembly.commit(name, Add(bundle.key_package))
        assert pending.staged.added[0].key_package.is_last_resort
        assembly.commit("bob")
        assert assembly.agree()
        leaves.add(assembly.groups["bob"].members()[1].leaf_node.encryption_key)
    assert len(leaves) == 2
