"""A call's group as everybody but the scripted device sees it.

    room = Room("name", profile, call_id, {0: alice, 1: phone}, epoch=2)     an epoch, as if the commits before it had been made
    room.welcome(1)                  the Welcome that leads to it, for who sits at a leaf
    room.say(0, message)             what a member says, as `sent`
    room.commit(0, Remove(1))        a commit in the log, as `committed`; the others follow it

Nothing here is refused that RFC 9420 allows: what the profile of a call forbids is what a hostile member does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret
from e2ee.mls.extension import Extension
from e2ee.mls.group import Group, PendingCommit, StagedCommit
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.key_schedule import derive_epoch_secret, derive_psk_secret
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, GroupContextExtensions, PreSharedKey, ProposalContent
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.welcome import Welcome
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.signalling.wire import encode
from e2ee.testing.mls_forge.clients import Client
from e2ee.testing.mls_forge.commits import Committed
from e2ee.testing.mls_forge.epochs import begin
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.welcomes import Welcoming
from e2ee.testing.mls_forge.welcomes import welcome as make_welcome
from e2ee.testing.mls_members import receiving, sending
from e2ee.vectorgen.call_profiles import Profile
from e2ee.vectorgen.call_scripts.people import CLOCK, SUITE, Actor, Link, entropy
from e2ee.vectorgen.certificates import label
from e2ee.vectorgen.legal_commits import required
from e2ee.vectorgen.models import digits
from e2ee.vectorgen.people import CALL_PROFILE

__all__ = ["Placed", "Room", "extensions_of"]


def extensions_of(profile: Profile, *more: Extension) -> tuple[Extension, ...]:
    """The GroupContext's (KEYS-9)."""
    return (required(), Extension(CALL_PROFILE, profile.encode()), *more)


class Room:
    """See the module. ``seats`` are the devices by leaf index; ``own`` is the scripted device's leaf, which does nothing here."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        call_id: bytes,
        seats: Mapping[int, Actor],
        *,
        own: int,
        epoch: int,
        suite: int = SUITE,
        own_bundle: KeyPackageBundle | None = None,
        link: Link | None = None,
        signer: int = 0,
        more: tuple[Extension, ...] = (),
        group_id: bytes | None = None,
        acting: Collection[int] | None = None,
    ) -> None:
        """``acting`` are the leaves that do anything, if they are not all."""
        self.call_id, self.own, self.link = call_id, own, link
        self.suite = suite
        self.profile = self._changed = profile
        self.people = dict(seats)
        self.entropy = entropy("room", name)
        self.psks: dict[PskName, Secret] = {}
        if link is not None:
            self.knows(link)
        self._bundles = {
            leaf: own_bundle
            if own_bundle is not None and leaf == own
            else self._bundle(name, actor)
            for leaf, actor in seats.items()
        }
        self._forge = Forge(cipher_suite(suite), self.entropy.fork(b"forge"))
        for actor in seats.values():
            self._forge.signing_keys[actor.leaf.public] = actor.leaf.private
        self._begun = self._begin(group_id or call_id, epoch, signer, more)
        self.groups: dict[int, Group] = {
            leaf: self._join(leaf) for leaf in acting or seats if leaf != own
        }
        self.former: dict[int, Group] = {}
        """Those that were removed, in the epoch that was their last."""
        self.earlier: list[dict[int, Group]] = []
        """The epochs before, by leaf."""

    def _bundle(self, name: str, actor: Actor) -> KeyPackageBundle:
        if self.profile.kind == 2:
            return actor.joining(self.call_id, self.link, name, suite=self.suite)
        return actor.bundle(name, suite=self.suite)

    def _psk(self, link: Link) -> Secret:
        return Secret(link.psk(cipher_suite(self.suite).kdf.Nh))

    # The epoch that it begins with

    def _begin(
        self, group_id: bytes, epoch: int, signer: int, more: tuple[Extension, ...]
    ) -> Committed:
        suite = cipher_suite(self.suite)
        tree = RatchetTree.of_leaf(suite, self._bundles[0].key_package.leaf_node)
        for leaf in sorted(self._bundles)[1:]:
            tree, place = tree.add(self._bundles[leaf].key_package.leaf_node)
            assert place == leaf  # noqa: S101 - seats have no gaps
        context = GroupContext(
            version=ProtocolVersion.MLS10,
            cipher_suite=self.suite,
            group_id=group_id,
            epoch=epoch,
            tree_hash=tree_hash(tree),
            confirmed_transcript_hash=self.entropy.random(suite.kdf.Nh),
            extensions=extensions_of(self.profile, *more),
        )
        psk_ids = tuple(
            PreSharedKeyID.external(each.psk_id, self.entropy.random(suite.kdf.Nh))
            for each in ([] if self.link is None else [self.link])
        )
        psk_secret = derive_psk_secret(
            suite.kdf, [(psk_id, self.psks[psk_id.psk]) for psk_id in psk_ids]
        )
        joiner_secret = Secret(self.entropy.random(suite.kdf.Nh))
        epoch_secret = derive_epoch_secret(suite.kdf, joiner_secret, psk_secret, context.encode())
        begun = begin(tree, context, epoch_secret)
        nothing = MLSMessage.of(self._bundles[0].key_package)
        return Committed(nothing, begun, signer, joiner_secret, psk_secret, psk_ids, {})

    def welcome(self, leaf: int, welcoming: Welcoming | None = None) -> bytes:
        """The Welcome for who sits at this leaf: an encoded MLSMessage."""
        bundle = self._bundles[leaf]
        signing_key = self.people[leaf].leaf
        client = Client(bundle.key_package, signing_key, bundle.init_key_pair, bundle.leaf_key_pair)
        forge = self._forge.fork(b"welcome %d" % leaf)
        return make_welcome(forge, self._begun, client, leaf, welcoming).encode()

    def _join(self, leaf: int) -> Group:
        welcome = MLSMessage.decode(self.welcome(leaf)).body
        assert isinstance(welcome, Welcome)  # noqa: S101
        return join(welcome, self._bundles[leaf], policy=receiving(CLOCK), psks=self.psks)

    @property
    def own_bundle(self) -> KeyPackageBundle:
        """The scripted device's."""
        return self._bundles[self.own]

    @property
    def tree(self) -> bytes:
        """The ratchet tree of the epoch that it begins with."""
        return self._begun.epoch.tree.encode()

    # What the epoch is

    @property
    def any(self) -> Group:
        """Some member's."""
        return next(iter(self.groups.values()))

    @property
    def epoch(self) -> int:
        """Its number."""
        return self.any.epoch

    @property
    def call_code(self) -> str:
        """CALL-14."""
        authenticator = self.any.epoch_authenticator
        return digits(HKDF_SHA256.expand(authenticator, label("Call code"), 60))

    def report(self, **changes: Any) -> dict[str, Any]:
        """The report of this epoch."""
        told: dict[str, Any] = {
            "event": "epoch",
            "epoch": self.epoch,
            "members": [
                {"leaf": leaf, "account_id": actor.account_id, "device_id": actor.device_id}
                for leaf, actor in sorted(self.people.items())
            ],
            "call_code": self.call_code,
        }
        if self.profile.kind == 2:
            hosts, speakers = self.profile.hosts, (*self.profile.speakers, *self.profile.hosts)
            told["hosts"] = self._leaves(hosts)
            told["speakers"] = (
                self._leaves(speakers) if self.profile.speakers else sorted(self.people)
            )
        return told | changes

    def _leaves(self, keys: tuple[bytes, ...]) -> list[int]:
        return sorted(leaf for leaf, each in self.people.items() if each.account_key in keys)

    # What members say and do

    def sealed(
        self, leaf: int, message: CallMessage | bytes, *, group: Group | None = None
    ) -> bytes:
        """An application message of a member: an encoded MLSMessage."""
        data = message if isinstance(message, bytes) else encode(message)
        return (group or self.groups[leaf]).protect(data, entropy=self.entropy).encode()

    def say(
        self,
        leaf: int,
        message: CallMessage | bytes,
        *,
        group: Group | None = None,
        number: int = 0,
    ) -> messages.Sent:
        """The same, as it comes to the scripted device."""
        return messages.Sent(self.call_id, self.sealed(leaf, message, group=group), number)

    def propose(
        self,
        leaf: int,
        *proposals: ProposalContent,
        statements: bytes = b"",
        tree_in_welcome: bool = True,
        by_the_clock: int = CLOCK,
        **how: Any,
    ) -> PendingCommit:
        """A commit that nobody has applied yet."""
        return self.groups[leaf].commit(
            proposals=proposals,
            authenticated_data=statements,
            psks=self.psks,
            policy=sending(by_the_clock),
            entropy=self.entropy,
            ratchet_tree_extension=tree_in_welcome,
            **how,
        )

    def logged(self, pending: PendingCommit | bytes, *, number: int = 0) -> messages.Committed:
        """A commit as it comes to the scripted device."""
        data = pending if isinstance(pending, bytes) else pending.message.encode()
        return messages.Committed(self.call_id, data, number)

    def follow(self, pending: PendingCommit, joined: Mapping[int, Actor] | None = None) -> None:
        """Everybody applies a commit; who ``joined`` by it sits at these leaves now."""
        message = MLSMessage.decode(pending.message.encode())
        before, self.groups = self.groups, {}
        for leaf, group in before.items():
            if group.own_leaf_index == pending.staged.committer:
                staged = pending.staged
            else:
                received = group.receive(message, policy=receiving(CLOCK), psks=self.psks)
                assert isinstance(received, StagedCommit)  # noqa: S101
                staged = received
            if staged.removes_own_leaf:
                self.former[leaf] = group
                continue
            self.groups[leaf] = group.merge(staged)
        self.earlier.append(before)
        for leaf in pending.staged.removed:
            self.people.pop(leaf, None)
        self.people |= joined or {}
        if Extension(CALL_PROFILE, self._changed.encode()) in pending.staged.extensions:
            self.profile = self._changed

    def commit(
        self,
        leaf: int,
        *proposals: ProposalContent,
        joined: Mapping[int, Actor] | None = None,
        statements: bytes = b"",
        number: int = 0,
        **how: Any,
    ) -> messages.Committed:
        """A commit that everybody follows, as it comes to the scripted device."""
        pending = self.propose(leaf, *proposals, statements=statements, **how)
        self.follow(pending, joined)
        return self.logged(pending, number=number)

    # Proposals

    def psk(self, link: Link | None = None) -> PreSharedKey:
        """The link's."""
        link = link or self.link
        assert link is not None  # noqa: S101
        self.knows(link)
        nonce = self.entropy.random(cipher_suite(self.suite).kdf.Nh)
        return PreSharedKey(PreSharedKeyID.external(link.psk_id, nonce))

    def knows(self, link: Link) -> None:
        """All have this link, too."""
        self.psks[link.psk_id] = self._psk(link)

    def add(self, actor: Actor, *names: str, link: Link | None = None, **how: Any) -> Add:
        """Who asked to join, with the link's proof."""
        return Add(actor.joining(self.call_id, link or self.link, *names, **how).key_package)

    def change(self, **values: Any) -> GroupContextExtensions:
        """Another profile."""
        self._changed = replace(self.profile, **values)
        return GroupContextExtensions(extensions_of(self._changed))


class Placed(Room):
    """The group of a call that leaf 0 places by one commit that adds all others: epoch 1. ``added`` are the KeyPackages, if they are
    not made for this call; ``extensions`` the GroupContext's, if they are not those of the profile."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        call_id: bytes,
        seats: Mapping[int, Actor],
        *,
        own: int,
        own_bundle: KeyPackageBundle,
        suite: int = SUITE,
        group_id: bytes | None = None,
        extensions: tuple[Extension, ...] | None = None,
        tree_in_welcome: bool = True,
    ) -> None:
        self.call_id, self.own, self.suite, self.link = call_id, own, suite, None
        self.profile = self._changed = profile
        self.people = dict(seats)
        self.entropy = entropy("placed", name)
        self.psks = {}
        bundles = {leaf: actor.bundle(name, suite=suite) for leaf, actor in seats.items()}
        self._bundles = bundles | {own: own_bundle}
        group = Group.create(
            self._bundles[0],
            group_id=group_id or call_id,
            extensions=extensions_of(profile) if extensions is None else extensions,
            policy=sending(CLOCK),
            entropy=self.entropy,
        )
        pending = group.commit(
            proposals=[Add(self._bundles[leaf].key_package) for leaf in sorted(seats) if leaf],
            policy=sending(CLOCK),
            entropy=self.entropy,
            ratchet_tree_extension=tree_in_welcome,
        )
        assert pending.welcome is not None  # noqa: S101
        self._welcome = pending.welcome.encode()
        self.groups = {0: group.merge(pending.staged)}
        if tree_in_welcome:
            self.groups |= {leaf: self._join(leaf) for leaf in seats if leaf not in (0, own)}
        self.former, self.earlier = {}, []

    def welcome(self, leaf: int, welcoming: Welcoming | None = None) -> bytes:  # noqa: ARG002
        """The same for all whom the commit added."""
        return self._welcome
