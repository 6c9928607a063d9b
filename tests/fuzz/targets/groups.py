"""A group in a known state: what a member makes of messages that others, who have its keys, should never have sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from random import Random

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import DecodeError, RemoteProtocolError
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, StorageError, UsageError
from e2ee.mls.external_joining import external_join
from e2ee.mls.framing import AuthenticatedContent, FramedContent, WireFormat
from e2ee.mls.group import Group
from e2ee.mls.group_info import GroupInfo, sign_group_info
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Proposal
from e2ee.mls.psk import PskName
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.received import StagedCommit
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import Assembly, Insider, receiving, snapshot
from tests.fuzz.choices import Choices
from tests.fuzz.corpus import all_of, from_vectors
from tests.fuzz.structure_mutation import changed, mutation_of
from tests.fuzz.target import Faulty, refused, target

SUITE = cipher_suite(0x0001)
PSKS: Mapping[PskName, Secret] = {b"psk": Secret(bytes(32))}


class Scene:
    """Alice, Bob and Carol, the same at every run; Bob receives, and has a message of his own in the epoch."""

    def __init__(self) -> None:
        self.assembly = Assembly(SUITE, SeededEntropy(b"fuzz group"), "alice", "bob", "carol")
        self.assembly.commit("carol")
        self.stored = self.assembly.groups["bob"].serialize()
        self.alice = self.assembly.groups["alice"]
        self.insider = Insider(self.alice, SeededEntropy(b"fuzz insider"))

    def bob(self) -> Group:
        """As he was at the beginning."""
        return Group.deserialize(self.stored)


@cache
def scene() -> Scene:
    return Scene()


@cache
def _genuine() -> tuple[bytes, ...]:
    """What Alice may send in this epoch."""
    return tuple(_sent_by_alice())


def _sent_by_alice() -> Iterator[bytes]:
    assembly, alice, entropy = scene().assembly, scene().alice, scene().assembly.entropy
    for how in (WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE):
        for contents in ((), (assembly.remove("carol"),), (assembly.add("dave"),)):
            yield assembly.pending("alice", *contents, wire_format=how).message.encode()
        proposed = alice.propose(
            assembly.remove("carol"), policy=receiving(), entropy=entropy, wire_format=how
        )
        yield proposed.message.encode()
        alice.discard_proposal(proposed.reference)
    yield alice.protect(b"words", entropy=entropy).encode()


def _signed_by_alice(data: bytes, chance: Random) -> bytes | None:
    """A handshake of Alice's that says something else, with her signature and the group's tags."""
    body = MLSMessage.decode(data).body
    if not isinstance(body, PublicMessage):
        return None
    content = body.content
    inside = content.content
    if isinstance(inside, Commit | Proposal):
        content = replace(content, content=changed(inside, chance))
    if chance.random() < 0.2:
        content = changed(content, chance)
    if chance.random() < 0.5:
        return _sent(content, body)
    signed = scene().insider.signed(content.content, WireFormat.PUBLIC_MESSAGE)
    return scene().insider.send(signed).encode()


def _sent(content: FramedContent, body: PublicMessage) -> bytes:
    """With the old signature and a good membership tag."""
    authenticated = AuthenticatedContent(WireFormat.PUBLIC_MESSAGE, content, body.auth)
    return scene().insider.send(authenticated).encode()


@target(
    "group-message",
    seeds=all_of(_genuine, from_vectors("mls-validation/0x0001/*", "message")),
    mutate=_signed_by_alice,
)
def group_message(data: bytes) -> bool:
    """A message to a member: whatever is refused has changed nothing, and a commit only its keys of one generation."""
    try:
        message = MLSMessage.decode(data)
    except DecodeError as error:
        return refused(error)
    bob = scene().bob()
    before = snapshot(bob)
    try:
        received = bob.receive(message, policy=receiving(), psks=PSKS)
    except (RemoteProtocolError, UsageError) as error:
        if isinstance(error, UsageError) and error.reason is not Rule.NOT_A_GROUP_MESSAGE:
            raise Faulty("a member is blamed for what another one sent") from error
        if snapshot(bob) != before:
            raise Faulty("what was refused changed something") from error
        return refused(error)
    if isinstance(received, StagedCommit) and not received.removes_own_leaf:
        after = bob.merge(received)
        if after.epoch != bob.epoch + 1:
            raise Faulty("a commit to another epoch than the next")
    return True


@target("insider-content", seeds=lambda: _contents(), longest=1 << 13)
def insider_content(data: bytes) -> bool:
    """A PrivateMessage whose inside is any bytes, of a member who has the keys: the first byte says of which type."""
    choices = Choices(data)
    types: list[bytes | Proposal | Commit] = [
        b"words",
        Proposal(scene().assembly.remove("carol")),
        Commit((), None),
    ]
    of_type = choices.one_of(types)
    content = scene().insider.signed(of_type, WireFormat.PRIVATE_MESSAGE).content
    message = scene().insider.send_plaintext(content, choices.rest())
    bob = scene().bob()
    before = snapshot(bob)
    try:
        bob.receive(message, policy=receiving())
    except RemoteProtocolError as error:
        if snapshot(bob) != before:
            raise Faulty("what was refused changed something") from error
        return refused(error)
    return True


def _contents() -> Iterator[bytes]:
    """As members make them: the content, its auth data, and padding."""
    signed = scene().insider.signed(b"words", WireFormat.PRIVATE_MESSAGE)
    yield b"\0\5words" + bytes([0x40, len(signed.auth.signature)]) + signed.auth.signature
    proposal = scene().insider.signed(
        Proposal(scene().assembly.remove("carol")), WireFormat.PRIVATE_MESSAGE
    )
    encoded = Proposal(scene().assembly.remove("carol")).encode()
    length = bytes([0x40, len(proposal.auth.signature)])
    yield b"\1" + encoded + length + proposal.auth.signature + bytes(20)
    yield b"\2\0\0"


@cache
def _invited() -> tuple[Welcome, KeyPackageBundle]:
    """Erin's invitation, and what she waits with."""
    assembly = scene().assembly
    pending = assembly.pending("alice", assembly.add("erin"))
    if pending.welcome is None or not isinstance(pending.welcome.body, Welcome):
        raise Faulty("who adds somebody makes a Welcome")
    return pending.welcome.body, assembly.bundles["erin"]


def _welcomes() -> Iterator[bytes]:
    yield _invited()[0].encode()
    for data in from_vectors("mls-validation/0x0001/*", "welcome")():
        yield data[4:]  # after the version and the wire format


@target(
    "joining",
    seeds=_welcomes,
    mutate=mutation_of(Welcome),
)
def joining(data: bytes) -> bool:
    """A Welcome to somebody who waits with a KeyPackage."""
    try:
        welcome = Welcome.decode(data)
    except DecodeError as error:
        return refused(error)
    try:
        join(welcome, _invited()[1], policy=receiving())
    except RemoteProtocolError as error:
        return refused(error)
    return True


def _group_infos() -> Iterator[bytes]:
    assembly = scene().assembly
    for with_tree in (True, False):
        yield assembly.group_info("alice", ratchet_tree=with_tree).encode()
        yield assembly.group_info("alice", ratchet_tree=with_tree, external_pub=False).encode()


def _told_by_alice(group_info: GroupInfo) -> GroupInfo:
    private = scene().assembly.bundles["alice"].signature_private_key
    return sign_group_info(SUITE, group_info, private)


@target("external-joining", seeds=_group_infos, mutate=mutation_of(GroupInfo, _told_by_alice))
def external_joining(data: bytes) -> bool:
    """A GroupInfo, by which somebody joins who was not invited."""
    try:
        group_info = GroupInfo.decode(data)
    except DecodeError as error:
        return refused(error)
    try:
        external_join(
            group_info,
            _invited()[1],
            policy=receiving(),
            entropy=SeededEntropy(b"fuzz external join"),
        )
    except RemoteProtocolError as error:
        return refused(error)
    return True


@target("stored-group", seeds=lambda: [bytes(scene().stored)])
def stored_group(data: bytes) -> bool:
    """A group that was stored, and then damaged."""
    try:
        group = Group.deserialize(data)
    except (StorageError, DecodeError) as error:
        return refused(error)
    if group.serialize() != data:
        raise Faulty("stored again it is something else")
    return True
