"""What the table of KEYS-20 allows MLS does: one group call from its first epoch on, every commit judged as members judge it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from e2ee.call.group.link import GroupLink
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.mls.commit import Commit
from e2ee.mls.committing import PendingCommit
from e2ee.mls.group import Group
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.proposal import (
    Add,
    GroupContextExtensions,
    PreSharedKey,
    ProposalContent,
    Remove,
)
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.received import StagedCommit
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import (
    CallProfile,
    JoinPolicy,
    call_profile,
    check_group_call,
    group_extensions,
    group_profile,
)
from e2ee.profile.gone import encode_statements, signed
from e2ee.profile.join import join_extension
from e2ee.profile.leaves import (
    call_capabilities,
    committer_policy,
    key_package_lifetime,
    receiver_policy,
)
from e2ee.profile.legal_commits import LegalCommit, judge, profile_after
from e2ee.profile.roster import Roster, roster
from tests.profile.conftest import NOW, Device, new_device

CALL_ID = bytes(range(16))
ENTROPY = SeededEntropy(b"a group call")
SERVICE = ED25519.generate(ENTROPY)
LINK = GroupLink.create(ENTROPY, CALL_ID)
PSKS: dict[PskName, Secret] = {LINK.psk_id: LINK.psk(32)}


def link_psk() -> PreSharedKey:
    """The proposal of whoever adds somebody by the link."""
    return PreSharedKey(PreSharedKeyID.external(LINK.psk_id, ENTROPY.random(32)))


def asking(device: Device, policy: JoinPolicy = JoinPolicy.LINK) -> KeyPackageBundle:
    """A new KeyPackage of the device, made to join the call."""
    proof = ENTROPY.random(32) if policy is JoinPolicy.LINK else b""
    marks = (join_extension(CALL_ID, NOW, proof),)
    return KeyPackageBundle.generate(
        cipher_suite(0x0001),
        device.key,
        device.leaf_node.credential,
        call_capabilities([0x0001], marks),
        key_package_lifetime(NOW),
        ENTROPY,
        extensions=marks,
    )


@dataclass
class Member:
    """Somebody in the call, with the roster that it has verified so far."""

    group: Group
    known: Roster

    @classmethod
    def by_welcome(cls, bundle: KeyPackageBundle, made: PendingCommit) -> Member:
        """Who was added by this commit, by the link if the commit names it."""
        assert made.welcome is not None
        assert isinstance(made.welcome.body, Welcome)
        by_link = call_profile(made.staged.extensions).join_policy == JoinPolicy.LINK
        group = join(
            made.welcome.body,
            bundle,
            policy=receiver_policy(NOW),
            psks=PSKS,
            required_psks=PSKS.keys() if by_link else (),
        )
        return cls(group, roster(group.tree))

    @property
    def profile(self) -> CallProfile:
        """The call's, now."""
        return call_profile(self.group.extensions)

    @property
    def accounts(self) -> list[str]:
        """Who is in the call, by leaf."""
        return [certificate.account_id for certificate in self.known.values()]

    def commit(self, *proposals: ProposalContent, beside: bytes = b"") -> PendingCommit:
        """An own commit, applied at once."""
        made = self.group.commit(
            proposals=proposals,
            policy=committer_policy(NOW),
            entropy=ENTROPY,
            psks=PSKS,
            authenticated_data=beside,
        )
        self._apply(made, made.staged)
        return made

    def receive(self, made: PendingCommit) -> None:
        """Another member's commit."""
        staged = self.group.receive(made.message, policy=receiver_policy(NOW), psks=PSKS)
        assert isinstance(staged, StagedCommit)
        self._apply(made, staged)

    def _apply(self, made: PendingCommit, staged: StagedCommit) -> None:
        assert isinstance(made.message.body, PublicMessage)
        said = made.message.body.content
        assert isinstance(said.content, Commit)
        before = (self.profile, CALL_ID, self.group.epoch, self.known)
        kind = judge(*before, said.sender, said.content, said.authenticated_data)
        assert kind is (LegalCommit.CHANGE if said.content.proposals else LegalCommit.TIMED)
        self.known = roster(staged.public.tree, self.known)
        after = profile_after(self.profile, said.content)
        self.group = self.group.merge(staged)
        assert self.profile == after


@pytest.mark.requirement("KEYS-20", "KEYS-24")
def test_a_call_from_its_first_epoch_on() -> None:
    alices, bobs, carols, daves = (new_device(name) for name in ("alice", "bob", "carol", "dave"))
    profile = group_profile(
        alices.account.public, SERVICE.public, join_policy=JoinPolicy.LINK, link_id=LINK.psk_id
    )
    group = Group.create(
        alices.bundle,
        group_id=CALL_ID,
        extensions=group_extensions(profile),
        policy=committer_policy(NOW),
        entropy=ENTROPY,
    )
    check_group_call(call_profile(group.extensions), group.group_id)
    alice = Member(group, roster(group.tree))

    bundle = asking(bobs)
    bob = Member.by_welcome(bundle, alice.commit(Add(bundle.key_package), link_psk()))
    bundle = asking(carols)
    made = bob.commit(Add(bundle.key_package), link_psk())
    carol = Member.by_welcome(bundle, made)
    alice.receive(made)
    assert alice.accounts == bob.accounts == carol.accounts == ["alice", "bob", "carol"]

    bundle = asking(bobs)  # he crashed, and joins anew; it is Carol who adds him
    made = carol.commit(Add(bundle.key_package), Remove(1), link_psk())
    bob = Member.by_welcome(bundle, made)
    alice.receive(made)

    locked = replace(  # no link any more; Carol is banned, and Dave comes in her place
        alice.profile,
        join_policy=JoinPolicy.ADMITTED,
        link_id=b"",
        accounts=(daves.account.public,),
        banned=(carols.account.public,),
    )
    bundle = asking(daves, JoinPolicy.ADMITTED)
    made = alice.commit(
        GroupContextExtensions(group_extensions(locked)), Remove(2), Add(bundle.key_package)
    )
    dave = Member.by_welcome(bundle, made)
    bob.receive(made)
    assert bob.profile == dave.profile == locked
    assert bob.accounts == ["alice", "bob", "dave"]

    gone = encode_statements([signed(SERVICE, CALL_ID, dave.group.epoch, 0, NOW)])
    made = dave.commit(Remove(0), beside=gone)  # the host is gone, and the call goes on
    bob.receive(made)
    dave.receive(bob.commit())
    assert bob.accounts == dave.accounts == ["bob", "dave"]
    assert bob.group.epoch_authenticator == dave.group.epoch_authenticator
