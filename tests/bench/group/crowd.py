"""Those of a large call who are no whole devices: most are silent, some are bare (see ``large_call``)."""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.owner import Owner
from e2ee.crypto.secret import Secret
from e2ee.delivery.service import Outgoing
from e2ee.mls.group import Group
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.psk import PskName
from e2ee.mls.received import StagedCommit
from e2ee.mls.welcome import Welcome
from e2ee.profile.leaves import receiver_policy
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService
from tests.bench.group.meter import Meter

__all__ = ["Bare", "Crowd", "Silent"]


@dataclass
class Silent:
    """Logged in over a connection; ``bundle`` is the KeyPackage that it asks with, and its private keys."""

    owner: Owner
    connection_id: int
    bundle: KeyPackageBundle
    taken: int = 0
    """The highest number that came out of its mailbox."""
    acknowledged: int = 0

    def hear(self, message: FromService, now: int) -> None:  # noqa: ARG002 - for those who follow
        self.taken = max(self.taken, getattr(message, "number", 0))


@dataclass
class Bare(Silent):
    """Follows the log with ``e2ee.mls`` alone, from bytes to bytes as a whole device does; ``psks`` has the link's."""

    meter: Meter = field(default_factory=Meter)
    psks: dict[PskName, Secret] = field(default_factory=dict)
    tree: bytes | None = None
    """The tree that it joins with, if the Welcome brings none."""
    added: messages.Added | None = None
    group: Group | None = None

    def hear(self, message: FromService, now: int) -> None:
        super().hear(message, now)
        if isinstance(message, messages.Added):
            self.added = message
        elif isinstance(message, messages.Committed) and self.group is not None:
            self._follow(self.group, message, now)

    def enter(self, now: int, tree: bytes | None = None) -> None:
        """Join by the Welcome that has come, with this tree if it brings none."""
        assert self.added is not None
        with self.meter.spending("bare", "join", self.connection_id):
            welcome = MLSMessage.decode(self.added.welcome).body
            assert isinstance(welcome, Welcome)
            self.group = join(
                welcome,
                self.bundle,
                policy=receiver_policy(now),
                ratchet_tree=tree,
                psks=self.psks,
            )

    def _follow(self, group: Group, committed: messages.Committed, now: int) -> None:
        with self.meter.spending("bare", "committed", self.connection_id):
            message = MLSMessage.decode(committed.commit)
            staged = group.receive(message, policy=receiver_policy(now), psks=self.psks)
            assert isinstance(staged, StagedCommit)
            self.group = group.merge(staged)


class Crowd:
    """All of them, by their connections."""

    def __init__(self) -> None:
        self.by_connection: dict[int, Silent] = {}

    def take_in(self, one: Silent) -> None:
        self.by_connection[one.connection_id] = one

    def hear(self, outgoing: Outgoing, now: int) -> None:
        """What the service sends."""
        for connection_id, message in outgoing:
            if (one := self.by_connection.get(connection_id)) is not None:
                one.hear(message, now)

    def acknowledgements(self) -> list[tuple[int, messages.Acknowledge]]:
        """What each has taken since it was asked last, and its connection."""
        due = []
        for one in self.by_connection.values():
            if one.taken > one.acknowledged:
                one.acknowledged = one.taken
                due.append((one.connection_id, messages.Acknowledge(one.taken)))
        return due
