"""A meeting on simulated time, and requests to join it that no honest device would make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from e2ee.call.group.link import GroupLink
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import KeyPackage, sign_key_package
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.profile.join import join_extension
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting

SUITE = 0x0001


@pytest.fixture
def carol(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("carol")


@pytest.fixture
def meeting(calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice) -> Meeting:
    """Alice's, by a link, with Bob."""
    made = Meeting.of(calls, alice, bob)
    calls.advance(COMMIT_PAUSE)
    return made


@dataclass
class HandmadeRequest:
    """A request to join as its device's keys allow, and no more."""

    device: SimulatedDevice
    link: GroupLink
    now: int
    call_id: bytes | None = None
    proof: bytes | None = None
    extensions: tuple[Extension, ...] | None = None

    def bundle(self) -> KeyPackageBundle:
        """The KeyPackage with its private keys."""
        made = self.device.owner.new_join_key_package(SUITE, self.link, self.now)
        return replace(made, key_package=self._signed(made))

    def _signed(self, made: KeyPackageBundle) -> KeyPackage:
        unsigned, call_id = made.key_package, self.call_id or self.link.call_id
        proof = self.proof
        if proof is None:
            proof = self.link.proof(unsigned.init_key, unsigned.leaf_node.signature_key)
        extensions = self.extensions
        if extensions is None:
            extensions = (join_extension(call_id, self.now, proof),)
        changed = replace(unsigned, extensions=extensions)
        return sign_key_package(made.suite, changed, made.signature_private_key)

    def requested(self, *, rank: int = 0, lobby: bool = False) -> messages.JoinRequested:
        """As the service passes it on."""
        encoded = MLSMessage.of(self.bundle().key_package).encode()
        return messages.JoinRequested(self.link.call_id, encoded, rank, lobby)


@pytest.fixture
def request_of() -> type[HandmadeRequest]:
    return HandmadeRequest


Ask = Callable[..., HandmadeRequest]
