"""RFC 9420 Sections 11.1, 12.1.7 and 13.4: GroupContext extensions are supported by everybody, oneself included."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.capabilities import Capabilities, RequiredCapabilities
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, ExternalSender, external_senders
from e2ee.mls.group import Group
from e2ee.mls.group_context_extensions import check_own_support
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.proposal import Add, GroupContextExtensions, Proposal, Remove
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_forge.clients import Client, make_client
from e2ee.testing.mls_forge.commits import commit
from e2ee.testing.mls_forge.epochs import Epoch, create_group
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.welcomes import welcome
from e2ee.testing.mls_members import receiving, sending, snapshot

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop

ALICE, BOB = range(2)


@pytest.fixture
def group(workshop: Workshop) -> PublicGroup:
    return workshop.group(*map(workshop.client, ("alice", "bob", "carol")))


def required(
    *extension_types: int, proposals: tuple[int, ...] = (), credentials: tuple[int, ...] = ()
) -> Extension:
    data = RequiredCapabilities(extension_types, proposals, credentials).encode()
    return Extension(ExtensionType.REQUIRED_CAPABILITIES, data)


def test_members_support_new_extensions(workshop: Workshop, group: PublicGroup) -> None:
    for extension, rule in (
        (required(0xF0C1), Rule.MEMBER_LACKS_REQUIRED_CAPABILITY),
        (required(proposals=(0xF001,)), Rule.MEMBER_LACKS_REQUIRED_CAPABILITY),
        (required(credentials=(2,)), Rule.MEMBER_LACKS_REQUIRED_CAPABILITY),
        (Extension(0xF0C1, b""), Rule.MEMBER_LACKS_GROUP_EXTENSION),
        (Extension(0x0A0A, b""), Rule.MEMBER_LACKS_GROUP_EXTENSION),
    ):
        assert workshop.refusal(group, (ALICE, GroupContextExtensions((extension,)))) == rule


def test_members_who_are_removed_need_not_support_new_extensions(workshop: Workshop) -> None:
    alice, bob = workshop.client("alice"), workshop.client("bob")
    group = workshop.group(alice, bob)
    capable = workshop.leaf_node(alice, capabilities=workshop.capabilities(extensions=(0xF0C1,)))
    group = workshop.retold(group, workshop.forged(group.tree, 0, capable))
    extended = (ALICE, GroupContextExtensions((Extension(0xF0C1, b""),)))
    assert workshop.refusal(group, extended) == Rule.MEMBER_LACKS_GROUP_EXTENSION
    assert workshop.applied(group, extended, (ALICE, Remove(1))).removed == (1,)


def test_the_application_judges_external_senders(workshop: Workshop, group: PublicGroup) -> None:
    key = workshop.client("service").signing.public
    senders = external_senders.encode((ExternalSender(key, Credential.basic(b"service")),))
    proposal = GroupContextExtensions((Extension(ExtensionType.EXTERNAL_SENDERS, senders),))
    workshop.applied(group, (ALICE, proposal))
    assert workshop.application.asked == [(b"service", key)]
    workshop.application.unwelcome.add(b"service")
    assert workshop.refusal(group, (ALICE, proposal)) == "NOT_WELCOME"


def test_the_committer_is_judged_by_the_leaf_that_it_brings(workshop: Workshop) -> None:
    """It can learn an extension and turn it on in one commit; its old leaf is gone after that."""
    alice, bob = workshop.client("alice"), workshop.client("bob")
    capable = workshop.capabilities(extensions=(0xF0C1,))
    group = workshop.group(alice, bob)
    tree = workshop.forged(group.tree, 2, workshop.leaf_node(bob, capabilities=capable))
    group = workshop.retold(group, tree)
    proposal = GroupContextExtensions((Extension(0xF0C1, b""),))
    applied = workshop.applied(group, (ALICE, proposal))

    def commit(capabilities: Capabilities) -> PublicMessage:
        path = workshop.path(applied.tree, alice, ALICE, capabilities=capabilities)
        content = Commit((ProposalOrRef.by_value(Proposal(proposal)),), path)
        return workshop.sign(group, alice, ALICE, content)

    assert workshop.enter(group, commit(capable)).context.extensions == proposal.extensions
    with pytest.raises(ValidationError) as refused:
        workshop.enter(group, commit(workshop.capabilities()))
    assert refused.value.reason == Rule.LEAF_LACKS_GROUP_EXTENSION


@pytest.mark.parametrize(
    ("extension", "rule"),
    [
        (Extension(0xF0C2, b""), Rule.OWN_CLIENT_LACKS_GROUP_EXTENSION),
        (Extension(0x0A0A, b""), Rule.OWN_CLIENT_LACKS_GROUP_EXTENSION),
        (required(0xF0C2), Rule.OWN_CLIENT_LACKS_REQUIRED_CAPABILITY),
        (required(0x0A0A), Rule.OWN_CLIENT_LACKS_REQUIRED_CAPABILITY),
        (required(proposals=(0x0A0A,)), Rule.OWN_CLIENT_LACKS_REQUIRED_CAPABILITY),
        (required(credentials=(0x0A0A,)), Rule.OWN_CLIENT_LACKS_REQUIRED_CAPABILITY),
        (required(credentials=(2,)), Rule.OWN_CLIENT_LACKS_REQUIRED_CAPABILITY),
    ],
)
def test_what_we_listed_as_grease_we_do_not_support(
    workshop: Workshop, extension: Extension, rule: Rule
) -> None:
    grease = (0x0A0A, 0xEAEA)
    listed = workshop.capabilities(
        extensions=(0xF0C1, *grease), proposals=grease, credentials=(1, *grease)
    )
    known = (Extension(0xF0C1, b""), required(0xF0C1, 3, proposals=(7,), credentials=(1,)))
    check_own_support(listed, known)
    with pytest.raises(ValidationError) as refused:
        check_own_support(listed, (extension,))
    assert refused.value.reason == rule


class TestInAGroup:
    """Everybody's leaf lists the same GREASE, so that nobody who looks at leaves alone finds anything missing."""

    GREASE = (Extension(0x0A0A, b""),)

    @pytest.fixture
    def forge(self) -> Forge:
        return Forge(cipher_suite(0x0001), SeededEntropy(b"a group of grease"))

    def client(self, forge: Forge, name: str) -> Client:
        listed = Capabilities((1,), (0x0001,), (0x0A0A,), (), (1,))
        return make_client(forge, name, leaf=lambda leaf: replace(leaf, capabilities=listed))

    def bundle(self, client: Client) -> KeyPackageBundle:
        return KeyPackageBundle.of(
            client.key_package,
            client.init.private,
            client.encryption.private,
            client.signing_key.private,
        )

    def joined(self, forge: Forge, extensions: tuple[Extension, ...] = ()) -> tuple[Epoch, Group]:
        """Bob, whom Alice has welcomed."""
        alice, bob = self.client(forge, "alice"), self.client(forge, "bob")
        created = create_group(forge, alice, b"group", extensions)
        added = commit(forge, created, ALICE, Add(bob.key_package))
        message = welcome(forge, added, bob, BOB)
        assert isinstance(message.body, Welcome)
        return added.epoch, join(message.body, self.bundle(bob), policy=receiving())

    def test_nobody_creates_one(self, forge: Forge) -> None:
        bundle = self.bundle(self.client(forge, "alice"))
        with pytest.raises(ValidationError) as refused:
            Group.create(
                bundle,
                group_id=b"group",
                extensions=self.GREASE,
                policy=sending(),
                entropy=forge.entropy,
            )
        assert refused.value.reason == Rule.OWN_CLIENT_LACKS_GROUP_EXTENSION

    def test_nobody_joins_one(self, forge: Forge) -> None:
        self.joined(forge)
        with pytest.raises(ValidationError) as refused:
            self.joined(forge, self.GREASE)
        assert refused.value.reason == Rule.OWN_CLIENT_LACKS_GROUP_EXTENSION

    @pytest.mark.parametrize("extensions", [GREASE, (required(0x0A0A),)])
    def test_nobody_turns_it_into_one(
        self, forge: Forge, extensions: tuple[Extension, ...]
    ) -> None:
        _, bob = self.joined(forge)
        before = snapshot(bob)
        with pytest.raises(ValidationError) as refused:
            bob.commit(
                proposals=[GroupContextExtensions(extensions)],
                policy=sending(),
                entropy=forge.entropy,
            )
        assert str(refused.value.reason).startswith("OWN_CLIENT_LACKS")
        assert snapshot(bob) == before

    def test_nobody_follows_who_did(self, forge: Forge) -> None:
        epoch, bob = self.joined(forge)
        before = snapshot(bob)
        greased = commit(forge, epoch, ALICE, GroupContextExtensions(self.GREASE))
        with pytest.raises(ValidationError) as refused:
            bob.receive(greased.message, policy=receiving())
        assert refused.value.reason == Rule.OWN_CLIENT_LACKS_GROUP_EXTENSION
        assert snapshot(bob) == before
