"""A group call of a thousand members on simulated time, with the real delivery service and real MLS, in one process.

    call = LargeCall(store, extent, meter)
    call.fill()                members come in batches, as in a rush; the last batches are measured
    call.end_epoch(), .remove(), .add_one(), .let_join(1)      what else is measured, each a step

A thousand whole devices would hold a thousand times the same tree. So there are three sorts of members:

    whole     what a device runs: the host, who commits everybody in; all others who speak; some viewers
    bare      ``e2ee.mls`` alone, with the policy of calls, joined by the same Welcomes and given the same commits
    silent    everybody else: logged in at the service, added with a KeyPackage of their own, sent everything,
              acknowledging it; they open nothing and say nothing

The viewers are where, when all are there, an epoch's commit is theirs to make (KEYS-15).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from e2ee.call.configuration import Configuration
from e2ee.call.group.configuration import COMMIT_PAUSE
from e2ee.call.group.events import GroupCallOpened
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.streams import AnnouncedStream
from e2ee.call.owner import Owner
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.transaction import Store
from e2ee.identity.trust import MemoryTrustStore, Trust
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.mls.message import MLSMessage
from e2ee.mls.psk import PskName
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedDevice
from tests.bench.group.crowd import Bare, Silent
from tests.bench.group.meter import Meter, settle_heap
from tests.bench.group.metered_calls import MeteredCalls

__all__ = ["ADD_MANY", "ADD_ONE", "ALIVE", "JOIN", "REMOVE", "TIMED", "Extent", "LargeCall"]

ADD_MANY, ADD_ONE, REMOVE, TIMED = "add many", "add one", "remove", "timed"
ALIVE, JOIN, BETWEEN = "alive", "join", "between"
"""The steps."""

STREAMS = (
    AnnouncedStream(Kind.MICROPHONE, 0, Codec.OPUS, "0"),
    AnnouncedStream(Kind.CAMERA, 0, Codec.VP8, "1"),
)
"""What everybody publishes who speaks."""

BARE = 2


@dataclass(frozen=True)
class Extent:
    """So many members of whom so many speak, in this MLS suite. They come ``batch`` at a time; steps are done ``times``."""

    suite: int
    members: int
    speak: int
    batch: int
    times: int

    @property
    def batches(self) -> int:
        """The first one has what is left over."""
        return -(-(self.members - 1) // self.batch)

    @property
    def turns(self) -> range:
        """The leaves whose turn it is in the epochs after all have come, if nobody has gone (KEYS-15)."""
        return range(self.batches, self.batches + self.times)


class LargeCall:
    """See the module."""

    def __init__(self, store: Store, extent: Extent, meter: Meter) -> None:
        self.extent = extent
        self.meter = meter
        self._entropy = SeededEntropy(b"a large call", _encapsulate)
        self._calls = MeteredCalls(self._entropy, store, meter)
        self._names = (f"member {number}" for number in range(1, 1 << 16))
        self._host = self._device("host", "host")
        self._call = self._create()

    def _create(self) -> GroupCall:
        accounts = [self._calls.account(f"speaker {n}").public for n in range(1, self.extent.speak)]
        call = self._host.core.create_group_call(
            self._calls.now, speakers=accounts, suite=self.extent.suite
        )
        self._calls.settle()
        self._link = self._host.last(GroupCallOpened).link
        call.announce(STREAMS, self._calls.now)
        return call

    # Who comes

    def _device(self, account_id: str, sort: str) -> SimulatedDevice:
        device = self._calls.device(account_id, suites=(self.extent.suite,))
        self._calls.sorts[device.connection_id] = sort
        return device

    def _silent(self, *, bare: bool = False) -> Silent:
        """Registered, certified and logged in as any device, with the KeyPackage that it asks with."""
        calls, name = self._calls, next(self._names)
        entropy = self._entropy.fork(name.encode())
        account, key, connection_id = (
            calls.account(name),
            ED25519.generate(entropy),
            calls.connect(),
        )
        certificate = calls.certify(account, key, 1, (self.extent.suite,), connection_id)
        calls.log_in(connection_id, certificate, key, entropy)
        authority = calls.identity.authority
        owner = Owner(
            certificate=certificate,
            signing_key=key,
            trust=Trust(MemoryTrustStore(), authority.directory_keys()),
            configuration=Configuration(),
            delivery_key=calls.identity.delivery_key.public,
            entropy=entropy,
        )
        bundle = owner.new_join_key_package(self.extent.suite, self._link, calls.now)
        if not bare:
            one = Silent(owner, connection_id, bundle)
        else:
            psks: dict[PskName, Secret] = {self._link.psk_id: self._link.psk(bundle.suite.kdf.Nh)}
            one = Bare(owner, connection_id, bundle, meter=self.meter, psks=psks)
        calls.crowd.take_in(one)
        return one

    def _ask(self, one: Silent | SimulatedDevice) -> None:
        calls = self._calls
        if isinstance(one, SimulatedDevice):
            calls.do(one, "ask", lambda: one.core.join_group_call(self._link, calls.now))
            calls.submit_all(one)
        else:
            encoded = MLSMessage.of(one.bundle.key_package).encode()
            calls.bring(one.connection_id, messages.Join(self._call.call_id, encoded))

    def fill(self) -> None:
        """All come; of the batches the last ones are measured."""
        extent = self.extent
        coming = self._coming()
        first = extent.members - 1 - extent.batch * (extent.batches - 1)
        for left in range(extent.batches, 0, -1):
            batch = list(islice(coming, first if left == extent.batches else extent.batch))
            if left == extent.times:
                settle_heap()
            self._let_in(batch, ADD_MANY if left <= extent.times else BETWEEN)
            self.meter.begin(BETWEEN)
            self._introduce(batch)
        settle_heap()

    def _coming(self) -> Iterator[Silent | SimulatedDevice]:
        """By their leaves, from 1 on."""
        speak, turns = self.extent.speak, self.extent.turns
        for leaf in range(1, self.extent.members):
            if leaf < speak:
                yield self._device(f"speaker {leaf}", "speaker")
            elif leaf in turns:
                yield self._device(f"viewer {leaf}", "viewer")
            else:
                yield self._silent(bare=leaf < speak + BARE)

    def _introduce(self, batch: Iterable[Silent | SimulatedDevice]) -> None:
        """Who speaks says what it publishes; who is bare enters with the tree that the Welcome brings."""
        for one in batch:
            if isinstance(one, Bare):
                one.enter(self._calls.now)
            elif isinstance(one, SimulatedDevice) and self._of(one).may_speak:
                self._of(one).announce(STREAMS, self._calls.now)
        self._calls.settle()

    def _of(self, device: SimulatedDevice) -> GroupCall:
        return device.core.group_calls[self._call.call_id]

    def _let_in(self, askers: Sequence[Silent | SimulatedDevice], step: str) -> None:
        """They ask at once, and are added by one commit."""
        before = len(self._call.members)
        self.meter.begin(step)
        for asker in askers:
            self._ask(asker)
        self._calls.settle()
        while len(self._call.members) < before + len(askers):
            self._calls.advance(COMMIT_PAUSE)
        self._calls.acknowledge()

    # What is measured

    def add_one(self) -> None:
        self._calls.advance(COMMIT_PAUSE)
        self._let_in([self._silent()], ADD_ONE)
        self.meter.begin(BETWEEN)

    def remove(self) -> None:
        """A host removes somebody who is silent."""
        leaf = self._call.members[-7].leaf_index
        self._calls.advance(COMMIT_PAUSE)
        self.meter.begin(REMOVE)
        self._calls.do(self._host, "remove", lambda: self._call.remove(leaf, self._calls.now))
        self._calls.settle()
        self._calls.acknowledge()
        self.meter.begin(BETWEEN)

    def end_epoch(self) -> None:
        """Nothing happens for ten minutes but ``alive``; then the member whose turn it is commits."""
        calls, epoch = self._calls, self._call.epoch
        ends_at = calls.now + self._host.owner.configuration.epoch_lifetime
        self._hear_alive()
        calls.advance(ends_at - 1 - calls.now)
        calls.acknowledge()
        self.meter.begin(TIMED)
        calls.advance(1)
        if self._call.epoch != epoch + 1:
            raise SystemExit(f"epoch {self._call.epoch}: nobody whole has its turn")
        calls.acknowledge()
        self.meter.begin(BETWEEN)

    def _hear_alive(self) -> None:
        """The first who say it are heard and acknowledged one after the other, as they are who do not say it at once."""
        calls = self._calls
        while not any(device.sending(messages.Send) for device in calls.devices):
            timer = calls.next_timer()
            assert timer is not None
            calls.advance(timer - calls.now, settle=False)
        for device in [each for each in calls.devices if each.sending(messages.Send)]:
            self.meter.begin(ALIVE)
            calls.submit_all(device)
            for each in calls.devices:
                calls.deliver_all(each)
            calls.acknowledge()
        self.meter.begin(BETWEEN)
        calls.settle()

    def let_join(self, number: int) -> None:
        """A whole device and a bare one come by the link and fetch the tree."""
        late = self._device(f"late {number}", "joiner")
        bare = self._silent(bare=True)
        self._calls.advance(COMMIT_PAUSE)
        self._let_in([self._silent()], BETWEEN)  # so that the next two wait for each other
        self._let_in([late, bare], JOIN)
        self.meter.begin(BETWEEN)
        assert isinstance(bare, Bare)
        tree = self._tree(bare)
        self.meter.begin(JOIN)
        bare.enter(self._calls.now, tree)
        self.meter.begin(BETWEEN)
        assert self._of(late).call_code == self._call.call_code
        self._calls.sorts[late.connection_id] = "late"

    def _tree(self, one: Silent) -> bytes:
        tree, ask = b"", self._calls.bring
        while True:
            request = messages.AskTree(self._call.call_id, self._call.epoch, len(tree))
            ((_, part),) = ask(one.connection_id, request)
            assert isinstance(part, messages.Tree)
            tree += part.data
            if len(tree) == part.size:
                return tree

    def run(self) -> None:
        """All of it."""
        self.fill()
        for _ in self.extent.turns:
            self.end_epoch()
        for _ in self.extent.turns:
            self.remove()
        for _ in self.extent.turns:
            self.add_one()
        for number in self.extent.turns:
            self.let_join(number)


def _encapsulate(public_key: bytes, _seed: bytes) -> tuple[bytes, bytes]:
    """As fast as devices do it; which bytes come of it does not matter here."""
    return SystemEntropy().mlkem768_encapsulate(public_key)
