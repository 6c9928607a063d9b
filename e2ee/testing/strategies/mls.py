"""MLS objects made by clients and members who have their keys: whoever should take them does.

Groups are ``Assembly``s of ``e2ee.testing.mls_members``: all members of one group, and a delivery service that brings
everything at once. What comes from a member comes with its assembly, so that another member can be asked what it makes of
it. Values of the same structures that mean nothing come from ``structures``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.committing import PendingCommit
from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.errors import Rule
from e2ee.mls.framing import WireFormat
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage, sign_key_package
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import LeafNode, Lifetime, sign_leaf_node
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import ProposalContent
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import Assembly, Client, sending
from e2ee.testing.strategies.octets import account_ids, entropies, octets

__all__ = [
    "AlmostKeyPackage",
    "Committed",
    "Invitation",
    "Said",
    "Sent",
    "almost_key_packages",
    "application_messages",
    "assemblies",
    "bundles",
    "capabilities",
    "cipher_suites",
    "clients",
    "commits",
    "credentials",
    "group_infos",
    "key_packages",
    "leaf_nodes",
    "private_messages",
    "proposals",
    "public_messages",
    "ratchet_trees",
    "welcomes",
]

_QUICK = (0x0001, 0x0002, 0x0003, 0x0007)
"""Suites of RFC 9420 whose keys take well below a millisecond."""

_NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")


def cipher_suites(code_points: Sequence[int] = _QUICK) -> st.SearchStrategy[CipherSuite]:
    """MLS cipher suites: of RFC 9420, or of those that you name.

    ``cipher_suites([0x0001, 0xF0E2])`` draws the two that calls use.
    """
    return st.sampled_from(code_points).map(cipher_suite)


def credentials() -> st.SearchStrategy[Credential]:
    """Credentials (RFC 9420 Section 5.3): basic ones, and chains of certificates that nobody has looked at.

    ``credentials()`` draws ``Credential.basic(b"alice")``.
    """
    chains = st.lists(octets(), max_size=3).map(lambda chain: Credential.x509(*chain))
    return account_ids().map(lambda name: Credential.basic(name.encode())) | chains


def capabilities(suite: int = 0x0001) -> st.SearchStrategy[Capabilities]:
    """What a client can say that it supports (RFC 9420 Section 7.2): of MLS 1.0, with ``suite``, and what else it likes.

    ``capabilities()`` draws ``Capabilities((1,), (1,), (), (), (1,))`` and longer lists, without any default type.
    """
    others = st.lists(st.integers(0xF100, 0xF1FF), max_size=3, unique=True).map(tuple)
    return st.builds(
        lambda suites, extensions, proposals: Capabilities(
            (ProtocolVersion.MLS10,),
            (suite, *(each for each in suites if each != suite)),
            extensions,
            proposals,
            (CredentialType.BASIC, CredentialType.X509),
        ),
        st.lists(st.sampled_from(_QUICK), max_size=3, unique=True),
        others,
        others,
    )


def clients(suite: CipherSuite | None = None) -> st.SearchStrategy[Client]:
    """Clients with a signature key, of a suite or of any.

    ``clients().map(lambda client: client.bundle(entropy))`` draws KeyPackages with their private keys.
    """
    suites = cipher_suites() if suite is None else st.just(suite)
    return st.builds(
        lambda name, of_suite, entropy: Client.make(name, of_suite, entropy.fork(name.encode())),
        account_ids(),
        suites,
        entropies(),
    )


@st.composite
def bundles(draw: st.DrawFn, suite: CipherSuite | None = None) -> KeyPackageBundle:
    """KeyPackages with their private keys, valid at ``mls_members.NOW``.

    ``bundles(cipher_suite(0x0001))`` draws what a client keeps until somebody adds it.
    """
    client = draw(clients(suite))
    entropy = draw(entropies()).fork(b"bundle of " + client.name.encode())
    return client.bundle(entropy, grease=draw(st.booleans()))


def key_packages(suite: CipherSuite | None = None) -> st.SearchStrategy[KeyPackage]:
    """KeyPackages (RFC 9420 Section 10) that ``check_key_package`` takes, for a suite or for any.

    ``key_packages()`` draws ``KeyPackage(version=1, cipher_suite=1, ...)``, signed by its client.
    """
    return bundles(suite).map(lambda bundle: bundle.key_package)


def leaf_nodes(suite: CipherSuite | None = None) -> st.SearchStrategy[LeafNode]:
    """Leaves of KeyPackages (RFC 9420 Section 7.2), signed.

    ``leaf_nodes()`` draws ``LeafNode(..., leaf_node_source=LeafNodeSource.KEY_PACKAGE)``.
    """
    return key_packages(suite).map(lambda key_package: key_package.leaf_node)


@dataclass(frozen=True, slots=True)
class AlmostKeyPackage:
    """A KeyPackage that a group of ``suite`` must not take, and the rule that it breaks."""

    key_package: KeyPackage
    suite: CipherSuite
    rule: Rule


_SPOILT_KEY_PACKAGE: Mapping[Rule, Callable[[KeyPackage], KeyPackage]] = {
    Rule.KEY_PACKAGE_VERSION: lambda made: replace(made, version=2),
    Rule.KEY_PACKAGE_CIPHER_SUITE: lambda made: replace(made, cipher_suite=0x7777),
    Rule.KEY_PACKAGE_INIT_KEY_REUSED: lambda made: replace(
        made, init_key=made.leaf_node.encryption_key
    ),
    Rule.KEY_PACKAGE_INIT_KEY_MALFORMED: lambda made: replace(made, init_key=made.init_key[:-1]),
}
_SPOILT_LEAF: Mapping[Rule, Callable[[LeafNode], LeafNode]] = {
    Rule.LEAF_LIFETIME_TOO_LONG: lambda leaf: replace(leaf, details=Lifetime(0, (1 << 64) - 1)),
    Rule.LEAF_EXPIRED: lambda leaf: replace(leaf, details=Lifetime(0, 1)),
    Rule.LEAF_CREDENTIAL_NOT_LISTED: lambda leaf: replace(
        leaf, capabilities=replace(leaf.capabilities, credentials=(CredentialType.X509,))
    ),
    Rule.LEAF_ENCRYPTION_KEY_MALFORMED: lambda leaf: replace(leaf, encryption_key=b""),
}
_UNSIGNED: Mapping[Rule, Callable[[KeyPackage], KeyPackage]] = {
    Rule.KEY_PACKAGE_SIGNATURE: lambda made: replace(made, signature=_flipped(made.signature)),
    Rule.LEAF_SIGNATURE: lambda made: replace(
        made, leaf_node=replace(made.leaf_node, signature=_flipped(made.leaf_node.signature))
    ),
}


def _flipped(signature: bytes) -> bytes:
    return signature[:-1] + bytes([signature[-1] ^ 1])


@st.composite
def almost_key_packages(draw: st.DrawFn) -> AlmostKeyPackage:
    """KeyPackages that break one rule of RFC 9420 Section 10.1, signed again so that it is the only one.

    ``almost_key_packages()`` draws ``AlmostKeyPackage(KeyPackage(...), suite, Rule.LEAF_EXPIRED)``.
    """
    suite = cipher_suite(0x0001)
    bundle = draw(bundles(suite))
    made, private = bundle.key_package, bundle.signature_private_key
    rule = draw(st.sampled_from([*_SPOILT_KEY_PACKAGE, *_SPOILT_LEAF, *_UNSIGNED]))
    if rule in _UNSIGNED:
        return AlmostKeyPackage(_UNSIGNED[rule](made), suite, rule)
    if rule in _SPOILT_LEAF:
        leaf = sign_leaf_node(suite, _SPOILT_LEAF[rule](made.leaf_node), private, b"", 0)
        made = replace(made, leaf_node=leaf)
    else:
        made = _SPOILT_KEY_PACKAGE[rule](made)
    return AlmostKeyPackage(sign_key_package(suite, made, private), suite, rule)


# In groups


@st.composite
def assemblies(
    draw: st.DrawFn, suite: CipherSuite | None = None, *, fewest: int = 1, most_commits: int = 2
) -> Assembly:
    """Groups of ``fewest`` to 6 members, after some commits that everybody followed.

    ``assemblies(fewest=2)`` draws an ``Assembly``, whose ``groups`` are the members' by name, all in one state.
    """
    suite = suite or draw(cipher_suites())
    size = draw(st.integers(fewest, len(_NAMES)))
    entropy = draw(entropies()).fork(b"assembly of %d" % size)
    assembly = Assembly(suite, entropy, *_NAMES[:size])
    for _ in range(draw(st.integers(0, most_commits))):
        assembly.commit(draw(_members(assembly)))
    return assembly


def _members(assembly: Assembly) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(assembly.groups))


def proposals(assembly: Assembly, committer: str) -> st.SearchStrategy[tuple[ProposalContent, ...]]:
    """Proposals that a member may commit together: somebody comes, somebody else goes, or nothing.

    ``proposals(assembly, "alice")`` draws ``(Add(...), Remove(2))``.
    """
    others = sorted(assembly.groups.keys() - {committer})
    leaving = st.lists(st.sampled_from(others), max_size=1) if others else st.just([])
    coming = st.integers(0, 2)
    return st.builds(
        lambda gone, new: (
            *(assembly.remove(name) for name in gone),
            *(assembly.add(f"guest {len(assembly.bundles)}") for _ in range(new)),
        ),
        leaving,
        coming,
    )


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that nobody has received yet: ``assembly.deliver(committer, pending)`` brings it to everybody."""

    assembly: Assembly
    committer: str
    pending: PendingCommit


@st.composite
def commits(draw: st.DrawFn, assembly: Assembly | None = None, *, fewest: int = 1) -> Committed:
    """Commits of members, of proposals by value; in PublicMessages or PrivateMessages.

    ``commits(fewest=2)`` draws commits that somebody can receive: ``each.pending.message``.
    """
    assembly = assembly or draw(assemblies(fewest=fewest))
    committer = draw(_members(assembly))
    contents = draw(proposals(assembly, committer))
    how = draw(st.sampled_from([WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE]))
    return Committed(assembly, committer, assembly.pending(committer, *contents, wire_format=how))


@dataclass(frozen=True, slots=True)
class Invitation:
    """A Welcome that opens for ``bundle``."""

    assembly: Assembly
    welcome: Welcome
    bundle: KeyPackageBundle


@st.composite
def welcomes(draw: st.DrawFn) -> Invitation:
    """Welcomes (RFC 9420 Section 12.4.3.1), with the KeyPackage of somebody who is added.

    ``welcomes()`` draws what ``join(each.welcome, each.bundle, policy=receiving())`` makes a group of.
    """
    assembly = draw(assemblies())
    committer = draw(_members(assembly))
    pending = assembly.pending(committer, assembly.add("guest"))
    if pending.welcome is None or not isinstance(pending.welcome.body, Welcome):
        raise TypeError("who adds somebody makes a Welcome")
    return Invitation(assembly, pending.welcome.body, assembly.bundles["guest"])


@dataclass(frozen=True, slots=True)
class Said:
    """Application data that ``sender`` protected and nobody has opened yet."""

    assembly: Assembly
    sender: str
    data: bytes
    message: MLSMessage


@st.composite
def application_messages(draw: st.DrawFn) -> Said:
    """PrivateMessages of members, with padding or without, for the others of a group of two and more.

    ``application_messages()`` draws ``Said(assembly, "alice", b"...", MLSMessage(...))``.
    """
    assembly = draw(assemblies(fewest=2))
    sender, data = draw(_members(assembly)), draw(octets())
    padding = draw(st.integers(0, 40))
    return Said(assembly, sender, data, assembly.tell(sender, data, padding=padding))


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of ``sender`` that nobody has received yet: a proposal, a commit, or application data."""

    assembly: Assembly
    sender: str
    message: MLSMessage


def public_messages() -> st.SearchStrategy[Sent]:
    """PublicMessages of members of groups of two and more: proposals and commits (RFC 9420 Section 6.2).

    ``public_messages()`` draws ``Sent(assembly, "alice", MLSMessage(...))``, for any other member to receive.
    """
    return _handshakes(WireFormat.PUBLIC_MESSAGE)


def private_messages() -> st.SearchStrategy[Sent]:
    """PrivateMessages of members of groups of two and more: proposals, commits, application data (RFC 9420 Section 6.3).

    ``private_messages()`` draws ``Sent(assembly, "alice", MLSMessage(...))``, for any other member to receive.
    """
    said = application_messages().map(lambda each: Sent(each.assembly, each.sender, each.message))
    return said | _handshakes(WireFormat.PRIVATE_MESSAGE)


@st.composite
def _handshakes(draw: st.DrawFn, how: WireFormat) -> Sent:
    assembly = draw(assemblies(fewest=2))
    sender = draw(_members(assembly))
    group, contents = assembly.groups[sender], draw(proposals(assembly, sender))
    alone: bool = draw(st.booleans())
    if contents and alone:
        proposed = group.propose(
            contents[0], policy=sending(), entropy=assembly.entropy, wire_format=how
        )
        return Sent(assembly, sender, proposed.message)
    return Sent(assembly, sender, assembly.pending(sender, *contents, wire_format=how).message)


@st.composite
def group_infos(draw: st.DrawFn) -> GroupInfo:
    """What members tell of their group (RFC 9420 Section 12.4.3), signed, with the tree or without.

    ``group_infos()`` draws ``GroupInfo(group_context=..., extensions=(...), signer=0, ...)``.
    """
    assembly = draw(assemblies())
    return assembly.group_info(
        draw(_members(assembly)), ratchet_tree=draw(st.booleans()), external_pub=draw(st.booleans())
    )


def ratchet_trees() -> st.SearchStrategy[RatchetTree]:
    """Ratchet trees of groups that have lived: with blank nodes and unmerged leaves, every leaf signed.

    ``ratchet_trees().map(RatchetTree.encode)`` draws data of ``ratchet_tree`` extensions.
    """
    return commits().map(_tree_after)


def _tree_after(committed: Committed) -> RatchetTree:
    committed.assembly.deliver(committed.committer, committed.pending)
    return committed.assembly.groups[committed.committer].tree
