"""A group and its delivery service, with wires that a test holds in its hands.

    life = SimulatedGroup(suite, entropy)
    life.begin(6)
    pending = life.participants[0].group.commit(...)
    life.offer_commit(life.participants[0], pending)      the service takes it, or not; who is added joins
    life.unread(life.participants[1])                     what this one reads next, when the test wants it to

The service is honest and keeps a log: of each epoch it takes the proposals and the first commit, and drops what comes
too late. Everything else can happen. Participants read the log at their own pace, so that several epochs are alive at
once; entries get lost on the way to one of them and may be fetched again; application messages reach anybody in any
order, any number of times.

Nothing here judges: what must come of it is for the test to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature_scheme import SigningKey
from e2ee.mls.committing import PendingCommit
from e2ee.mls.credential import Credential
from e2ee.mls.extension import Extension, ExtensionType, ExternalSender, external_senders
from e2ee.mls.group import Group, Received
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, PreSharedKey
from e2ee.mls.psk import PreSharedKeyID, PskName, PSKType, ResumptionPSK
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import Client, receiving, sending

__all__ = ["SUPPORTED_EXTENSION", "Entry", "Participant", "Said", "SimulatedGroup"]

SUPPORTED_EXTENSION = 0xF123
"""The type of a GroupContext extension that every client here lists."""


@dataclass(eq=False, slots=True)
class Participant:
    """A client that is, was, or believes to be a member: its groups by epoch, the newest of which is the present one."""

    client: Client
    groups: dict[int, Group]
    read: int
    """The number of the entry that it reads next."""
    psks: dict[PskName, Secret] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    """Entries that did not reach it, or that it could not follow."""
    seen: set[int] = field(default_factory=set)
    """Proposals of the present epoch that reached it."""
    pending: dict[bytes, PendingCommit] = field(default_factory=dict)
    """Own commits of the present epoch, by their encoding."""
    is_out: bool = False
    """Whether it knows that it is no member any more."""

    @property
    def group(self) -> Group:
        """The present one."""
        return self.groups[max(self.groups)]

    @property
    def name(self) -> str:
        """The client's."""
        return self.client.name

    def receive(self, message: MLSMessage) -> Received:
        """What the present group makes of a message."""
        return self.group.receive(message, policy=receiving(), psks=self.psks)


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """A handshake message that the service took; ``sender`` is None for who is no participant."""

    sender: Participant | None
    epoch: int
    message: MLSMessage
    references: frozenset[bytes] = frozenset()
    """The proposals that a commit names."""


@dataclass(eq=False, slots=True)
class Said:
    """An application message, and who has opened it."""

    sender: Participant
    epoch: int
    data: bytes
    message: MLSMessage
    opened_by: set[Participant] = field(default_factory=set)


class SimulatedGroup:
    """See the module."""

    def __init__(self, suite: CipherSuite, entropy: Entropy) -> None:
        self.suite = suite
        self.entropy = entropy
        self.participants: list[Participant] = []
        self.log: list[Entry] = []
        self.epoch = 0
        self.ends: dict[int, int] = {}
        """By epoch, the number of the entry that is its commit."""
        self.psks: dict[PskName, Secret] = {}
        """All PSKs that anybody has."""
        self.service: SigningKey = suite.signature.generate(entropy)
        """The group's one external sender."""
        self._bundles: dict[bytes, tuple[Client, KeyPackageBundle]] = {}
        self._born = 0

    # Clients

    def client(self) -> Client:
        """A new one."""
        self._born += 1
        return Client.make(f"client {self._born}", self.suite, self.entropy)

    def bundle(self, client: Client) -> KeyPackageBundle:
        """A fresh KeyPackage, remembered for the Welcome to it."""
        bundle = client.bundle(self.entropy, extensions=(SUPPORTED_EXTENSION,))
        self._bundles[bundle.key_package.encode()] = client, bundle
        return bundle

    def add(self, client: Client) -> Add:
        """The proposal to add a client."""
        return Add(self.bundle(client).key_package)

    def psk(self, name: PskName) -> PreSharedKey:
        """The proposal to bring in a PSK, with a fresh nonce."""
        kind = PSKType.RESUMPTION if isinstance(name, ResumptionPSK) else PSKType.EXTERNAL
        nonce = self.entropy.random(self.suite.kdf.Nh)
        return PreSharedKey(PreSharedKeyID(kind, name, nonce))

    def begin(self, size: int) -> None:
        """A creator, who adds the others by one commit, that all have read."""
        creator = self.client()
        group = Group.create(
            self.bundle(creator),
            group_id=b"simulated",
            extensions=self.extensions(0),
            policy=sending(),
            entropy=self.entropy,
        )
        first = self._participate(creator, group)
        if size > 1:
            adds = [self.add(self.client()) for _ in range(1, size)]
            pending = group.commit(proposals=adds, policy=sending(), entropy=self.entropy)
            self.offer_commit(first, pending)
            self._move_in(first, group.merge(pending.staged))

    def extensions(self, number: int) -> tuple[Extension, ...]:
        """GroupContext extensions: the external sender, and some bytes that differ by ``number``."""
        sender = ExternalSender(self.service.public, Credential.basic(b"service"))
        return (
            Extension(ExtensionType.EXTERNAL_SENDERS, external_senders.encode((sender,))),
            Extension(SUPPORTED_EXTENSION, number.to_bytes(2, "big")),
        )

    # What the service takes

    def offer(self, entry: Entry) -> bool:
        """Whether the service takes a proposal."""
        if entry.epoch == self.epoch:
            self.log.append(entry)
        return entry.epoch == self.epoch

    def offer_from_outside(self, proposal: MLSMessage) -> None:
        """A proposal for the service's epoch, of somebody who is no participant."""
        self.log.append(Entry(None, self.epoch, proposal))

    def offer_commit(
        self,
        sender: Participant,
        pending: PendingCommit,
        references: frozenset[bytes] = frozenset(),
    ) -> bool:
        """Whether the service takes a member's commit; who is added by it joins."""
        epoch = pending.staged.epoch - 1
        if not self._end_epoch(Entry(sender, epoch, pending.message, references)):
            return False
        sender.pending[pending.message.encode()] = pending
        for added in pending.staged.added:
            self._welcome(added.key_package.encode(), pending)
        return True

    def offer_join(self, client: Client, message: MLSMessage, group: Group) -> Participant | None:
        """Who joins by an own commit, if the service takes it."""
        newcomer = Participant(client, {}, 0, dict(self.psks))
        if not self._end_epoch(Entry(newcomer, group.epoch - 1, message)):
            return None
        self._move_in(newcomer, group)
        return newcomer

    def offer_return(self, who: Participant, message: MLSMessage, group: Group) -> bool:
        """Whether the service takes the commit by which a participant comes back."""
        if not self._end_epoch(Entry(who, group.epoch - 1, message)):
            return False
        self._move_in(who, group)
        return True

    def _end_epoch(self, commit: Entry) -> bool:
        if commit.epoch != self.epoch:
            return False
        self.ends[self.epoch] = len(self.log)
        self.log.append(commit)
        self.epoch += 1
        return True

    def _welcome(self, key_package: bytes, pending: PendingCommit) -> None:
        client, bundle = self._bundles[key_package]
        if pending.welcome is None or not isinstance(pending.welcome.body, Welcome):
            raise TypeError("no Welcome for who was added")
        group = join(pending.welcome.body, bundle, policy=receiving(), psks=self.psks)
        self._participate(client, group)

    def _participate(self, client: Client, group: Group) -> Participant:
        newcomer = Participant(client, {}, 0, dict(self.psks))
        self._move_in(newcomer, group)
        return newcomer

    def _move_in(self, who: Participant, group: Group) -> None:
        """At the end of the log, in the epoch that has just begun."""
        if who not in self.participants:
            self.participants.append(who)
        self.enter(who, group)
        who.read = len(self.log)
        who.lost.clear()

    # What reaches a participant

    def enter(self, who: Participant, group: Group) -> None:
        """The next epoch, or one to which somebody comes back."""
        who.groups[group.epoch] = group
        self.psks[group.resumption_name()] = who.psks[group.resumption_name()] = (
            group.resumption_psk
        )
        who.pending.clear()
        who.seen.clear()

    def unread(self, who: Participant) -> Entry | None:
        """The next entry for this one, if there is one."""
        return self.log[who.read] if who.read < len(self.log) else None

    def lose(self, who: Participant) -> None:
        """The next entry never arrives."""
        who.lost.add(who.read)
        who.read += 1

    def lose_the_rest(self, who: Participant) -> None:
        """Of no use for who cannot follow."""
        who.lost.update(range(who.read, len(self.log)))
        who.read = len(self.log)

    def fetch_again(self, who: Participant) -> None:
        """Everything from the first lost entry on comes once more."""
        who.read = min(who.lost)
        who.lost.clear()

    def has_missed_a_commit(self, who: Participant) -> bool:
        """Whether this one can follow no more."""
        return self.ends.get(who.group.epoch) in who.lost
