"""This device's KeyPackages that wait for an invitation, with their private keys.

Each is for one Welcome: when an invitation was accepted its bundle is dropped, and with it the private keys. Those that
expired are dropped before new ones are made.
"""

from __future__ import annotations

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.owner import Owner
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.welcome import Welcome

__all__ = ["KEPT_OF_A_SUITE", "KeyPackages"]

KEPT_OF_A_SUITE = 8
"""How many KeyPackages of each suite a device keeps at the delivery service."""


class KeyPackages:
    """Bundles by KeyPackageRef (RFC 9420 Section 5.2)."""

    def __init__(self) -> None:
        self._bundles: dict[bytes, KeyPackageBundle] = {}

    def __len__(self) -> int:
        return len(self._bundles)

    def replenish(self, owner: Owner, now: int) -> tuple[bytes, ...]:
        """Make what is missing of each suite; gives the new ones as encoded MLSMessages, to be published."""
        self._drop_expired(now)
        made = []
        for suite in owner.suites:
            kept = sum(bundle.suite.code_point == suite for bundle in self._bundles.values())
            made += [owner.new_key_package(suite, now) for _ in range(KEPT_OF_A_SUITE - kept)]
        self._bundles |= {_ref(bundle): bundle for bundle in made}
        return tuple(MLSMessage.of(bundle.key_package).encode() for bundle in made)

    def find(self, welcome: Welcome) -> KeyPackageBundle:
        """The bundle that a Welcome is for. Raises CallRefused."""
        for entry in welcome.secrets:
            bundle = self._bundles.get(entry.new_member)
            if bundle is not None:
                return bundle
        raise CallRefused(CallReason.NO_SUCH_KEY_PACKAGE, "used, expired, or never ours")

    def drop(self, bundle: KeyPackageBundle) -> None:
        """Forget a KeyPackage that was used, and its private keys."""
        del self._bundles[_ref(bundle)]

    def _drop_expired(self, now: int) -> None:
        for ref in [ref for ref, bundle in self._bundles.items() if _expired(bundle, now)]:
            del self._bundles[ref]


def _ref(bundle: KeyPackageBundle) -> bytes:
    return make_key_package_ref(bundle.suite, bundle.key_package)


def _expired(bundle: KeyPackageBundle, now: int) -> bool:
    lifetime = bundle.key_package.leaf_node.lifetime
    return lifetime is not None and lifetime.not_after < now // 1000
