"""Members of MLS groups for tests: clients with real keys, a member who breaks the rules, and a look inside a Group.

``snapshot`` is the proof of "whatever raises has changed nothing": it holds every value that a Group reaches, secrets
included, found by walking the objects, so that state which is added later is in it without being named here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature import SigningKey
from e2ee.mls import proposing
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.commit import Commit
from e2ee.mls.committing import PendingCommit
from e2ee.mls.credential import AuthenticationService, Credential, CredentialType
from e2ee.mls.external_joining import PendingJoin, external_join
from e2ee.mls.framing import (
    AuthenticatedContent,
    FramedContent,
    FramedContentAuthData,
    Sender,
    WireFormat,
)
from e2ee.mls.group import Group
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.leaf_node_validation import RECEIVER_TOLERANCE, ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, Proposal, ProposalContent, Remove
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.received import StagedCommit
from e2ee.mls.welcome import Welcome
from e2ee.tls_syntax import Struct

__all__ = ["NOW", "Assembly", "Client", "Insider", "receiving", "sending", "snapshot"]

NOW = 1_700_000_000_000
"""The simulated time at which clients make their KeyPackages, Unix milliseconds."""

_HOUR, _DAY = 3_600, 86_400


class _Everybody:
    """Accepts every credential."""

    def check(self, credential: Credential, signature_key: bytes) -> None:
        """Accepted."""

    def check_successor(self, old: Credential, new: Credential) -> None:
        """Accepted."""


EVERYBODY: AuthenticationService = _Everybody()


def sending(now: int = NOW) -> ValidationPolicy:
    """The policy of who sends: no tolerance."""
    return ValidationPolicy(EVERYBODY, now)


def receiving(now: int = NOW) -> ValidationPolicy:
    """The policy of who receives."""
    return ValidationPolicy(EVERYBODY, now, RECEIVER_TOLERANCE)


@dataclass(frozen=True)
class Client:
    """A client with a signature key; its name is its credential's identity."""

    name: str
    suite: CipherSuite
    signing_key: SigningKey

    @classmethod
    def make(cls, name: str, suite: CipherSuite, entropy: Entropy) -> Client:
        """A client whose signature key is drawn from ``entropy``."""
        return cls(name, suite, suite.signature.generate(entropy))

    def bundle(
        self,
        entropy: Entropy,
        now: int = NOW,
        extensions: tuple[int, ...] = (),
        proposals: tuple[int, ...] = (),
        *,
        grease: bool = False,
    ) -> KeyPackageBundle:
        """A fresh KeyPackage, valid from an hour before ``now`` for a day.

        ``extensions`` and ``proposals`` are the types that the client supports.
        """
        capabilities = Capabilities(
            versions=(ProtocolVersion.MLS10,),
            cipher_suites=(self.suite.code_point,),
            extensions=extensions,
            proposals=proposals,
            credentials=(CredentialType.BASIC,),
        )
        return KeyPackageBundle.generate(
            self.suite,
            self.signing_key,
            Credential.basic(self.name.encode()),
            capabilities,
            Lifetime(now // 1000 - _HOUR, now // 1000 + _DAY),
            entropy,
            grease=grease,
        )


class Assembly:
    """All members of one group, and a delivery service that takes every commit and brings everything at once."""

    def __init__(
        self, suite: CipherSuite, entropy: Entropy, *names: str, **of_clients: Any
    ) -> None:
        """The first name creates the group and adds the others by one commit; ``of_clients`` goes to ``Client.bundle``."""
        self.suite = suite
        self.entropy = entropy
        self.of_clients = of_clients
        self.bundles: dict[str, KeyPackageBundle] = {}
        creator, *others = names
        bundle = self.bundle(creator)
        self.groups = {
            creator: Group.create(
                bundle, group_id=b"the assembly", policy=sending(), entropy=entropy
            )
        }
        if others:
            self.commit(creator, *map(self.add, others))

    def bundle(self, name: str) -> KeyPackageBundle:
        """A KeyPackage of a client with a new signature key, remembered for joining."""
        client = Client.make(name, self.suite, self.entropy)
        self.bundles[name] = client.bundle(self.entropy, **self.of_clients)
        return self.bundles[name]

    def add(self, name: str) -> Add:
        """The proposal to add a new client."""
        return Add(self.bundle(name).key_package)

    def remove(self, name: str) -> Remove:
        """The proposal to remove a member."""
        return Remove(self.groups[name].own_leaf_index)

    def pending(self, committer: str, *proposals: ProposalContent, **options: Any) -> PendingCommit:
        """A commit that nobody has received yet."""
        return self.groups[committer].commit(
            proposals=proposals, policy=sending(), entropy=self.entropy, **options
        )

    def commit(self, committer: str, *proposals: ProposalContent, **options: Any) -> PendingCommit:
        """A commit that everybody follows."""
        pending = self.pending(committer, *proposals, **options)
        self.deliver(committer, pending)
        return pending

    def deliver(self, committer: str, pending: PendingCommit) -> None:
        """The members process or merge the commit; who was added joins, who was removed is gone."""
        followers = {
            name: self.stage(name, pending.message) for name in self.groups if name != committer
        }
        for name, staged in (followers | {committer: pending.staged}).items():
            if staged.removes_own_leaf:
                del self.groups[name]
            else:
                self.groups[name] = self.groups[name].merge(staged)
        for added in pending.staged.added:
            self.join(added.key_package, pending.welcome)

    def stage(self, name: str, message: MLSMessage, **options: Any) -> StagedCommit:
        """What the member makes of a commit."""
        staged = self.groups[name].receive(message, policy=receiving(), **options)
        if not isinstance(staged, StagedCommit):
            raise TypeError(f"a commit is due, not a {type(staged).__name__}")
        return staged

    def join(self, key_package: KeyPackage, welcome: MLSMessage | None) -> Group:
        """The owner of the KeyPackage joins."""
        (name,) = (n for n, b in self.bundles.items() if b.key_package == key_package)
        if welcome is None or not isinstance(welcome.body, Welcome):
            raise TypeError("no Welcome for who was added")
        self.groups[name] = join(welcome.body, self.bundles[name], policy=receiving())
        return self.groups[name]

    def group_info(self, teller: str, **options: Any) -> GroupInfo:
        """What a member tells of the group, with a key by which one can join."""
        group_info = self.groups[teller].group_info(**options).body
        if not isinstance(group_info, GroupInfo):
            raise TypeError(f"a GroupInfo is due, not a {type(group_info).__name__}")
        return group_info

    def pending_join(self, name: str, group_info: GroupInfo, **options: Any) -> PendingJoin:
        """An external commit that nobody has received yet, of a client that ``bundle`` made."""
        return external_join(
            group_info, self.bundles[name], policy=sending(), entropy=self.entropy, **options
        )

    def join_externally(self, name: str, teller: str, **options: Any) -> PendingJoin:
        """A client joins, or comes back, by an external commit that everybody follows."""
        pending = self.pending_join(name, self.group_info(teller), **options)
        for member in list(self.groups):
            self.follow(member, pending.message, psks=options.get("psks", {}))
        self.groups[name] = pending.group
        return pending

    def follow(self, name: str, message: MLSMessage, **options: Any) -> StagedCommit:
        """The member goes where a commit leads; who was removed is gone."""
        staged = self.stage(name, message, **options)
        if staged.removes_own_leaf:
            del self.groups[name]
        else:
            self.groups[name] = self.groups[name].merge(staged)
        return staged

    def renew(self, name: str) -> KeyPackageBundle:
        """Another KeyPackage of a client that has one, with the same signature key."""
        private, leaf_node = (
            self.bundles[name].signature_private_key,
            self.bundles[name].key_package.leaf_node,
        )
        signing_key = SigningKey(private, leaf_node.signature_key)
        self.bundles[name] = Client(name, self.suite, signing_key).bundle(self.entropy)
        return self.bundles[name]

    def tell(self, sender: str, data: bytes, **options: Any) -> MLSMessage:
        """Application data, not delivered yet."""
        return self.groups[sender].protect(data, entropy=self.entropy, **options)

    def agree(self) -> bool:
        """Whether all members are in the same state."""
        views = [
            (group.group_context, group.epoch_authenticator.hex(), group.tree.encode())
            for group in self.groups.values()
        ]
        return all(view == views[0] for view in views)


class Insider:
    """A member who has the keys of an epoch and does with them what the protocol forbids."""

    def __init__(self, group: Group, entropy: Entropy) -> None:
        self._group = group
        self._entropy = entropy

    def say(
        self,
        content: bytes | Proposal | Commit,
        wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE,
    ) -> MLSMessage:
        """Any content, signed and protected."""
        return self.send(self.signed(content, wire_format))

    def signed(
        self, content: bytes | Proposal | Commit, wire_format: WireFormat
    ) -> AuthenticatedContent:
        """Content with a good signature; a commit gets a wrong confirmation tag."""
        group = self._group
        signed = proposing.sign(group._public, group._require_keys(), content, b"", wire_format)
        tag = bytes(group.cipher_suite.kdf.Nh) if isinstance(content, Commit) else None
        return replace(signed, auth=FramedContentAuthData(signed.auth.signature, tag))

    def send(
        self, authenticated: AuthenticatedContent, as_leaf: int | None = None, padding: int = 0
    ) -> MLSMessage:
        """``authenticated`` with a good membership tag or AEAD tag, with the keys of any leaf."""
        protection = copy(self._group._protection)
        if as_leaf is not None:
            protection._leaf_index = as_leaf
            sender = Sender.member(as_leaf)
            authenticated = replace(
                authenticated, content=replace(authenticated.content, sender=sender)
            )
        return protection.protect(authenticated, self._entropy, padding)

    def send_plaintext(self, content: FramedContent, plaintext: bytes) -> MLSMessage:
        """A PrivateMessage whose PrivateMessageContent is any bytes."""
        protection = self._group._protection
        return MLSMessage.of(protection._seal_plaintext(content, plaintext, self._entropy))

    def with_auth(
        self,
        message: MLSMessage,
        change: Callable[[FramedContentAuthData], FramedContentAuthData],
    ) -> MLSMessage:
        """A PublicMessage of anybody with other auth data and a good membership tag."""
        content, auth = message.body.content, message.body.auth  # type: ignore[union-attr]
        return self.send(AuthenticatedContent(WireFormat.PUBLIC_MESSAGE, content, change(auth)))


def snapshot(value: Any) -> Any:
    """Everything that ``value`` reaches, as plain values that can be compared."""
    if isinstance(value, RatchetTree):
        return value.encode()  # without the hashes and encodings that it computes when asked
    if isinstance(value, bytes):
        return bytes(value)
    if value is None or callable(value) or isinstance(value, int | str | Struct | CipherSuite):
        return value
    if isinstance(value, Mapping):
        return {key: snapshot(item) for key, item in value.items()}
    if isinstance(value, tuple | list | deque):
        return [snapshot(item) for item in value]
    if isinstance(value, set | frozenset):
        return {snapshot(item) for item in value}
    if not type(value).__module__.startswith("e2ee."):
        return value  # a primitive of a library: the same one, or another
    return type(value).__name__, _attributes(value)


def _attributes(value: Any) -> dict[str, Any]:
    found = dict(vars(value)) if hasattr(value, "__dict__") else {}
    for name in (name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())):
        with suppress(AttributeError):
            found[name] = getattr(value, name)
    if not found:
        raise TypeError(f"nothing to compare in a {type(value).__name__}")
    return {name: snapshot(item) for name, item in found.items()}
