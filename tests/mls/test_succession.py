"""RFC 9420 Sections 11.2, 11.3 and 12.4.3.1: what a newcomer asks of a group that says where it comes from.

Who made the group is a member of the old one and has its resumption PSK, and would lead the others somewhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.group import Group
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.predecessor import Predecessor
from e2ee.mls.proposal import Add, PreSharedKey, ReInit
from e2ee.mls.psk import PreSharedKeyID, PskName, PSKType, ResumptionPSKUsage
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_forge.clients import make_client
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.epochs import create_group
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.welcomes import welcome
from e2ee.testing.mls_members import Assembly, Client, receiving, sending

REINIT = ReInit(b"the next assembly", 1, 0x0001, (Extension(ExtensionType.APPLICATION_ID, b"new"),))
NAMES = ("alice", "bob", "carol")
APPLICATION, TO_REINIT, TO_BRANCH = ResumptionPSKUsage


@dataclass
class Misled:
    """Bob's state of the old group, and a creator who makes whatever she likes."""

    past: Predecessor
    entropy: SeededEntropy
    suite: int = 0x0001

    def bundle(self, name: str) -> KeyPackageBundle:
        client = Client.make(name, cipher_suite(self.suite), self.entropy)
        return client.bundle(self.entropy)

    def psk(self, usage: ResumptionPSKUsage, past: Predecessor | None = None) -> PreSharedKeyID:
        name = (past or self.past).psk_name(usage)
        return PreSharedKeyID(PSKType.RESUMPTION, name, self.entropy.random(self.nonce_length))

    @property
    def nonce_length(self) -> int:
        return cipher_suite(self.suite).kdf.Nh

    def invite(
        self,
        *psks: PreSharedKeyID,
        members: tuple[str, ...] = NAMES,
        group_id: bytes = REINIT.group_id,
        extensions: tuple[Extension, ...] = REINIT.extensions,
        key: Secret | None = None,
    ) -> Callable[..., Group]:
        """Bob joins what the first of ``members`` made for the others."""
        bundles = {name: self.bundle(name) for name in members}
        creator, *others = members
        alone = Group.create(
            bundles[creator],
            group_id=group_id,
            extensions=extensions,
            policy=sending(),
            entropy=self.entropy,
        )
        known: dict[PskName, Secret] = {psk.psk: key or self.past.resumption_psk for psk in psks}
        pending = alone.commit(
            proposals=[
                *(Add(bundles[name].key_package) for name in others),
                *map(PreSharedKey, psks),
            ],
            psks=known,
            policy=sending(),
            entropy=self.entropy,
        )
        return self.joining(pending.welcome, bundles["bob"])

    def joining(self, message: MLSMessage | None, bundle: KeyPackageBundle) -> Callable[..., Group]:
        assert message is not None
        invitation = message.body
        assert isinstance(invitation, Welcome)

        def join_it(
            *predecessors: Predecessor,
            policy: ValidationPolicy | None = None,
            psks: dict[PskName, Secret] | None = None,
        ) -> Group:
            return join(
                invitation,
                bundle,
                policy=policy or receiving(),
                predecessors=predecessors,
                psks=psks or {},
            )

        return join_it


def refusal(action: Callable[[], object]) -> Rule:
    with pytest.raises(ValidationError) as refused:
        action()
    assert isinstance(refused.value.reason, Rule)
    return refused.value.reason


@pytest.fixture
def living(assembly: Assembly) -> Misled:
    assert isinstance(assembly.entropy, SeededEntropy)
    return Misled(assembly.groups["bob"].predecessor(), assembly.entropy)


@pytest.fixture
def over(assembly: Assembly) -> Misled:
    assert isinstance(assembly.entropy, SeededEntropy)
    assembly.commit("alice", REINIT)
    return Misled(assembly.groups["bob"].predecessor(), assembly.entropy)


class TestTheLink:
    def test_good(self, living: Misled, over: Misled) -> None:
        assert over.invite(over.psk(TO_REINIT))(over.past).epoch == 1
        assert living.invite(living.psk(TO_BRANCH), group_id=b"branch")(living.past).epoch == 1

    @pytest.mark.parametrize("usage", [TO_REINIT, TO_BRANCH])
    def test_to_an_epoch_that_we_do_not_know(
        self, assembly: Assembly, living: Misled, usage: ResumptionPSKUsage
    ) -> None:
        """Also if the application has a key of that name: without the epoch it could not be compared with anything."""
        assembly.commit("alice")
        another = assembly.groups["bob"].predecessor()
        psk = living.psk(usage)
        joining = living.invite(psk, group_id=b"branch")
        keys = {psk.psk: living.past.resumption_psk}
        assert refusal(joining) is Rule.PREDECESSOR_UNKNOWN
        assert refusal(lambda: joining(another)) is Rule.PREDECESSOR_UNKNOWN
        assert refusal(lambda: joining(another, psks=keys)) is Rule.PREDECESSOR_UNKNOWN

    def test_with_a_key_that_is_not_the_epochs(self, over: Misled) -> None:
        joining = over.invite(over.psk(TO_REINIT), key=Secret(bytes(32)))
        assert refusal(lambda: joining(over.past)) is Rule.GROUP_INFO_NOT_AUTHENTIC

    @pytest.mark.parametrize("second", [TO_REINIT, TO_BRANCH])
    def test_to_two_epochs(
        self, assembly: Assembly, living: Misled, second: ResumptionPSKUsage
    ) -> None:
        assembly.commit("alice")
        other = assembly.groups["bob"].predecessor()
        psks = living.psk(TO_BRANCH), living.psk(second, other)
        joining = living.invite(*psks, group_id=b"branch")
        assert refusal(lambda: joining(living.past, other)) is Rule.SEVERAL_PREDECESSORS

    def test_beside_keys_that_link_nothing(self, assembly: Assembly, living: Misled) -> None:
        external = PreSharedKeyID.external(b"link", bytes(32))
        application = living.psk(APPLICATION)
        key = living.past.resumption_psk
        joining = living.invite(external, living.psk(TO_BRANCH), application, group_id=b"branch")
        known: dict[PskName, Secret] = {
            b"link": key,
            assembly.groups["bob"].resumption_name(): key,
        }
        assert joining(living.past, psks=known).epoch == 1
        assert refusal(lambda: joining(living.past)) is Rule.PSK_UNKNOWN

    @pytest.mark.parametrize("usage", [TO_REINIT, TO_BRANCH])
    @pytest.mark.parametrize("before", [1, 2])
    def test_of_a_group_that_began_without_us(
        self, over: Misled, usage: ResumptionPSKUsage, before: int
    ) -> None:
        """Somebody was alone in it, or with others, for ``before`` epochs."""
        forge = Forge(cipher_suite(0x0001), over.entropy)
        alice, bob = make_client(forge, "alice"), make_client(forge, "bob")
        epoch = create_group(forge, alice, REINIT.group_id, REINIT.extensions)
        for _ in range(before):
            epoch = commit(forge, epoch, 0).epoch
        psk = over.psk(usage)
        committing = Committing(psks={psk.psk: over.past.resumption_psk})
        added = commit(
            forge, epoch, 0, Add(bob.key_package), PreSharedKey(psk), committing=committing
        )
        bundle = KeyPackageBundle.of(
            bob.key_package, bob.init.private, bob.encryption.private, bob.signing_key.private
        )
        joining = over.joining(welcome(forge, added, bob, 1), bundle)
        past = over.past if usage is TO_REINIT else replace(over.past, reinit=None)
        assert refusal(lambda: joining(past)) is Rule.SUCCESSOR_EPOCH


class TestReinitialization:
    def test_of_a_group_that_lives(self, living: Misled) -> None:
        joining = living.invite(living.psk(TO_REINIT))
        assert refusal(lambda: joining(living.past)) is Rule.PREDECESSOR_NOT_REINITIALIZED

    def test_under_another_name(self, over: Misled) -> None:
        joining = over.invite(over.psk(TO_REINIT), group_id=b"elsewhere")
        assert refusal(lambda: joining(over.past)) is Rule.SUCCESSOR_NOT_AS_PROPOSED

    @pytest.mark.parametrize(
        "extensions", [(), (*REINIT.extensions, Extension(3, bytes(3))), (Extension(1, b"old"),)]
    )
    def test_with_other_extensions(self, over: Misled, extensions: tuple[Extension, ...]) -> None:
        joining = over.invite(over.psk(TO_REINIT), extensions=extensions)
        assert refusal(lambda: joining(over.past)) is Rule.SUCCESSOR_NOT_AS_PROPOSED

    def test_in_another_cipher_suite(self, over: Misled) -> None:
        over.suite = 0x0003
        joining = over.invite(over.psk(TO_REINIT))
        assert refusal(lambda: joining(over.past)) is Rule.SUCCESSOR_NOT_AS_PROPOSED

    def test_with_another_version(self, assembly: Assembly) -> None:
        assert isinstance(assembly.entropy, SeededEntropy)
        assembly.commit("alice", replace(REINIT, version=2))
        over = Misled(assembly.groups["bob"].predecessor(), assembly.entropy)
        joining = over.invite(over.psk(TO_REINIT))
        assert refusal(lambda: joining(over.past)) is Rule.SUCCESSOR_NOT_AS_PROPOSED

    def test_without_somebody(self, over: Misled) -> None:
        joining = over.invite(over.psk(TO_REINIT), members=("alice", "bob"))
        assert refusal(lambda: joining(over.past)) is Rule.SUCCESSOR_LACKS_MEMBER

    def test_with_somebody_new(self, over: Misled) -> None:
        joining = over.invite(over.psk(TO_REINIT), members=(*NAMES, "mallory"))
        assert refusal(lambda: joining(over.past)) is Rule.SUCCESSOR_MEMBER_UNKNOWN

    @pytest.mark.parametrize("usage", [None, APPLICATION, TO_BRANCH])
    def test_under_the_name_that_was_given_but_without_the_link(
        self, over: Misled, usage: ResumptionPSKUsage | None
    ) -> None:
        """Anybody could make that group, also who was never a member."""
        psks = () if usage is None else (over.psk(usage),)
        joining = over.invite(*psks)
        known = {psk.psk: over.past.resumption_psk for psk in psks}
        reason = refusal(lambda: joining(over.past, psks=known))
        assert reason is Rule.REINIT_PSK_MISSING

    def test_another_group_that_has_nothing_to_do_with_it(self, over: Misled) -> None:
        assert over.invite(group_id=b"elsewhere")(over.past).epoch == 1


class TestBranching:
    def test_into_another_cipher_suite(self, living: Misled) -> None:
        living.suite = 0x0003
        joining = living.invite(living.psk(TO_BRANCH))
        assert refusal(lambda: joining(living.past)) is Rule.BRANCH_OF_OTHER_PARAMETERS

    def test_with_somebody_new(self, living: Misled) -> None:
        joining = living.invite(living.psk(TO_BRANCH), members=("alice", "bob", "mallory"))
        assert refusal(lambda: joining(living.past)) is Rule.BRANCH_MEMBER_UNKNOWN

    @pytest.mark.parametrize("members", [("alice", "bob"), ("carol", "bob"), NAMES])
    def test_of_some_or_all(self, living: Misled, members: tuple[str, ...]) -> None:
        joining = living.invite(living.psk(TO_BRANCH), members=members)
        assert len(joining(living.past).members()) == len(members)


class TestWhoIsWho:
    """ "according to the application": here by the part of the identity before the slash, a person's name."""

    @staticmethod
    def person(credential: Credential) -> bytes:
        assert isinstance(credential.value, bytes)
        return credential.value.split(b"/")[0]

    @pytest.fixture
    def over(self) -> Misled:
        """Bob has two devices in the group."""
        entropy = SeededEntropy(b"devices")
        assembly = Assembly(cipher_suite(0x0001), entropy, "alice/1", "bob", "bob/2")
        assembly.commit("alice/1", REINIT)
        return Misled(assembly.groups["bob"].predecessor(), entropy)

    @pytest.mark.parametrize(
        ("members", "rule"),
        [
            (("alice/1", "bob", "bob/2"), None),
            (("alice/7", "bob", "bob/3"), None),
            (("alice/7", "bob"), Rule.SUCCESSOR_LACKS_MEMBER),
            (("bob/2", "bob"), Rule.SUCCESSOR_LACKS_MEMBER),
            (("alice/1", "bob", "bob/2", "bob/3"), Rule.SUCCESSOR_MEMBER_UNKNOWN),
        ],
    )
    def test_a_group_that_goes_on(
        self, over: Misled, members: tuple[str, ...], rule: Rule | None
    ) -> None:
        policy = replace(receiving(), identity=self.person)
        joining = over.invite(over.psk(TO_REINIT), members=members)
        if rule is None:
            assert joining(over.past, policy=policy).epoch == 1
        else:
            assert refusal(lambda: joining(over.past, policy=policy)) is rule

    @pytest.mark.parametrize(
        ("members", "rule"),
        [
            (("alice/7", "bob"), None),
            (("bob/5", "bob", "bob/6"), None),
            (("alice/1", "bob", "mallory"), Rule.BRANCH_MEMBER_UNKNOWN),
        ],
    )
    def test_a_subgroup(self, over: Misled, members: tuple[str, ...], rule: Rule | None) -> None:
        """Each leaf matches some leaf: who is known may come with another device."""
        past, policy = replace(over.past, reinit=None), replace(receiving(), identity=self.person)
        joining = over.invite(over.psk(TO_BRANCH), members=members)
        if rule is None:
            assert joining(past, policy=policy).epoch == 1
        else:
            assert refusal(lambda: joining(past, policy=policy)) is rule


@pytest.mark.parametrize("length", [0, 31, 33])
def test_nonces_are_checked_by_newcomers_too(over: Misled, length: int) -> None:
    """Section 8.4: "a fresh random value of length KDF.Nh"."""
    forge = Forge(cipher_suite(0x0001), over.entropy)
    alice, bob = make_client(forge, "alice"), make_client(forge, "bob")
    psk = PreSharedKeyID(PSKType.EXTERNAL, b"link", bytes(length))
    created = create_group(forge, alice, b"group")
    committing = Committing(psks={b"link": Secret(b"key")})
    added = commit(
        forge, created, 0, Add(bob.key_package), PreSharedKey(psk), committing=committing
    )
    bundle = KeyPackageBundle.of(
        bob.key_package, bob.init.private, bob.encryption.private, bob.signing_key.private
    )
    joining = over.joining(welcome(forge, added, bob, 1), bundle)
    assert refusal(lambda: joining(psks={b"link": Secret(b"key")})) is Rule.PSK_NONCE_LENGTH
