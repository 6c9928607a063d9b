"""Devices and a delivery service on simulated time, and invitations that an honest caller would not make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.owner import Owner
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.extension import Extension
from e2ee.mls.group import Group
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.proposal import Add
from e2ee.profile.call_profile import CallProfile, group_extensions, one_to_one
from e2ee.profile.leaves import committer_policy
from e2ee.profile.roster import leaf_certificate
from e2ee.signalling import messages
from e2ee.signalling.wire import encode
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice


@pytest.fixture
def entropy() -> SeededEntropy:
    return SeededEntropy(b"tests of calls", ML_KEM_768._encaps_internal)


@pytest.fixture
def calls(entropy: SeededEntropy) -> SimulatedCalls:
    return SimulatedCalls(entropy)


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


@dataclass
class HandmadeInvite:
    """An invitation as somebody makes it who has the keys of a caller and no manners."""

    caller: Owner
    key_packages: Sequence[KeyPackage]
    now: int = START
    call_id: bytes = b"sixteen byte id."
    group_id: bytes = b"sixteen byte id."
    suite: int = 0x0001
    profile: CallProfile | None = None
    extensions: tuple[Extension, ...] | None = None
    said: Sequence[bytes] | None = None
    """What the caller says in the Welcome's epoch, in this order; the last of it comes with the Welcome."""
    commits_before: int = 0
    """How many commits are made before the one that adds somebody."""
    ratchet_tree: bool = True
    """Whether the Welcome holds the tree."""

    def invited(self) -> messages.Invited:
        """The invitation."""
        entropy, policy = self.caller.entropy, committer_policy(self.now)
        group = Group.create(
            self.caller.new_key_package(self.suite, self.now),
            group_id=self.group_id,
            extensions=self._extensions(),
            policy=policy,
            entropy=entropy,
        )
        for _ in range(self.commits_before):
            group = group.merge(group.commit(policy=policy, entropy=entropy).staged)
        adds = [Add(key_package) for key_package in self.key_packages]
        pending = group.commit(
            proposals=adds,
            policy=policy,
            entropy=entropy,
            ratchet_tree_extension=self.ratchet_tree,
        )
        group = group.merge(pending.staged)
        assert pending.welcome is not None
        said = self.said or [encode(messages.Offer(self.now, "video"))]
        sealed = [group.protect(each, entropy=entropy).encode() for each in said]
        return messages.Invited(self.call_id, pending.welcome.encode(), sealed[-1])

    def _extensions(self) -> tuple[Extension, ...]:
        if self.extensions is not None:
            return self.extensions
        callee = leaf_certificate(self.key_packages[-1].leaf_node).account_key
        own = self.caller.certificate.account_key
        return group_extensions(self.profile or one_to_one(own, callee, self.caller.delivery_key))


@pytest.fixture
def invite() -> type[HandmadeInvite]:
    return HandmadeInvite


@pytest.fixture
def key_package_of() -> Callable[[SimulatedDevice], KeyPackage]:
    """A KeyPackage that the device waits for a Welcome with."""

    def of(device: SimulatedDevice) -> KeyPackage:
        bundles = device.core._key_packages._bundles
        return next(iter(bundles.values())).key_package

    return of
