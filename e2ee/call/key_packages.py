"""This device's KeyPackages that wait for an invitation, with their private keys.

Each is for one Welcome: when an invitation was accepted its bundle is dropped, and with it the private keys. One of each
suite is the last resort (RFC 9420 Section 16.8), which the service hands out when it has no other, and again after that:
it stays when it was used, is replaced at the next ``replenish``, and outlives its successor's making by a week.

What waits here and what the service still has are not the same: whoever asks the service for a KeyPackage takes it, and
need not invite with it. So the device believes three things, and makes new ones in the place of what is gone:

    the newest last resort used  nothing else of that suite is left at the service
    fewer than half are held     the service's own count (``published``); every one here counts as taken, once a minute
    another certificate          the service hands out none of an older certificate of this device

What counts as taken still opens its Welcome, until it expires; of those the newest are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple, Protocol

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.owner import Owner
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.welcome import Welcome

__all__ = ["KEPT_OF_A_SUITE", "KeyPackageStore", "KeyPackages", "MemoryKeyPackageStore"]

KEPT_OF_A_SUITE = 8
"""How many KeyPackages of each suite a device keeps at the delivery service, beside the last resort."""

_MOST_OF_A_SUITE = 4 * KEPT_OF_A_SUITE
"""How many bundles of a suite wait here at most."""

_MOST_LAST_RESORTS = KEPT_OF_A_SUITE
"""How many of a suite that are, or were, its last resort."""

_SUPERSEDED_FOR = 7 * 24 * 3600
"""How long a last resort is kept when there is a newer one, in seconds."""

_BELIEVED_EVERY = 60_000
"""How often the service's count is acted upon, in milliseconds: a service that lies costs no more than that."""


class KeyPackageStore(Protocol):
    """Where bundles wait, by KeyPackageRef. A write has happened, whole, when its call returns."""

    def bundles(self) -> Mapping[bytes, KeyPackageBundle]:
        """All that were kept and not forgotten."""

    def keep(self, bundles: Mapping[bytes, KeyPackageBundle]) -> None:
        """Keep all of these, beside the others."""

    def forget(self, refs: Collection[bytes]) -> None:
        """Forget these and their private keys."""


class MemoryKeyPackageStore:
    """A store that forgets when its process ends."""

    def __init__(self) -> None:
        self._bundles: dict[bytes, KeyPackageBundle] = {}

    def bundles(self) -> Mapping[bytes, KeyPackageBundle]:
        return dict(self._bundles)

    def keep(self, bundles: Mapping[bytes, KeyPackageBundle]) -> None:
        self._bundles |= bundles

    def forget(self, refs: Collection[bytes]) -> None:
        for ref in refs:
            del self._bundles[ref]


class KeyPackages:
    """Bundles by KeyPackageRef (RFC 9420 Section 5.2), oldest first."""

    def __init__(self, store: KeyPackageStore | None = None) -> None:
        self._store = MemoryKeyPackageStore() if store is None else store
        stored = self._store.bundles().items()
        self._bundles = dict(sorted(stored, key=lambda kept: _made_at(kept[1])))
        self._taken: set[bytes] = set()
        """Of which the service is believed to have no more."""
        self._believed_at: int | None = None

    def __len__(self) -> int:
        return len(self._bundles)

    def replenish(self, owner: Owner, now: int) -> tuple[bytes, ...]:
        """Make what is missing of each suite; gives the new ones as encoded MLSMessages, to be published.

        ``now`` in Unix milliseconds.
        """
        waiting = [bundle for ref, bundle in self._bundles.items() if ref not in self._taken]
        made = {_ref(bundle): bundle for bundle in _missing(owner, waiting, now)}
        if made:
            self._store.keep(made)
            self._bundles |= made
        self._forget(_useless(self._bundles, now))
        return tuple(MLSMessage.of(bundle.key_package).encode() for bundle in made.values())

    def published(self, count: int, owner: Owner, now: int) -> None:
        """The service says that it holds ``count`` of this device; ``replenish`` then makes what that calls for."""
        if 2 * count >= KEPT_OF_A_SUITE * len(owner.suites):
            return
        if self._believed_at is None or now - self._believed_at >= _BELIEVED_EVERY:
            self._believed_at = now
            self._taken.update(self._bundles)

    def get(self, ref: bytes) -> KeyPackageBundle | None:
        """The bundle of this KeyPackageRef, if it waits here."""
        return self._bundles.get(ref)

    def find(self, welcome: Welcome) -> KeyPackageBundle:
        """The bundle that a Welcome is for. Raises CallRefused."""
        for entry in welcome.secrets:
            bundle = self._bundles.get(entry.new_member)
            if bundle is not None:
                return bundle
        raise CallRefused(CallReason.NO_SUCH_KEY_PACKAGE, "used, expired, or never ours")

    def drop(self, bundle: KeyPackageBundle) -> None:
        """A KeyPackage was used: forget it and its private keys, or replace it soon if it was the last resort."""
        if not bundle.key_package.is_last_resort:
            self._forget([_ref(bundle)])
            return
        of_suite = [ref for ref, other in self._bundles.items() if other.suite == bundle.suite]
        *_, newest = (ref for ref in of_suite if self._bundles[ref].key_package.is_last_resort)
        # An older one says nothing of what the service holds now: who kept it and uses it often would make this device give
        # up what others were handed out.
        if _ref(bundle) == newest:
            self._taken.update(of_suite)

    def _forget(self, refs: Collection[bytes]) -> None:
        if refs:
            self._store.forget(refs)
        self._taken.difference_update(refs)
        for ref in refs:
            del self._bundles[ref]


class _Kind(NamedTuple):
    suite: int
    is_last_resort: bool

    @classmethod
    def of(cls, bundle: KeyPackageBundle) -> _Kind:
        return cls(bundle.suite.code_point, bundle.key_package.is_last_resort)


def _missing(
    owner: Owner, waiting: Iterable[KeyPackageBundle], now: int
) -> Iterator[KeyPackageBundle]:
    """New bundles, so that with those of ``waiting`` that are of any use there are enough of each kind."""
    useful = [
        _Kind.of(bundle)
        for bundle in waiting
        if bundle.key_package.leaf_node.credential == owner.credential and not _expired(bundle, now)
    ]
    for suite in owner.suites:
        for _ in range(KEPT_OF_A_SUITE - useful.count(_Kind(suite, is_last_resort=False))):
            yield owner.new_key_package(suite, now)
        if _Kind(suite, is_last_resort=True) not in useful:
            yield owner.new_key_package(suite, now, last_resort=True)


def _useless(bundles: Mapping[bytes, KeyPackageBundle], now: int) -> list[bytes]:
    """Those that expired, whose successor is old enough, or of which there are too many; ``bundles`` oldest first."""
    newest_first: dict[_Kind, list[bytes]] = {}
    for ref, bundle in reversed(list(bundles.items())):
        newest_first.setdefault(_Kind.of(bundle), []).append(ref)
    useless = {ref for ref, bundle in bundles.items() if _expired(bundle, now)}
    for kind, refs in newest_first.items():
        useless.update(refs[_MOST_LAST_RESORTS if kind.is_last_resort else _MOST_OF_A_SUITE :])
        if kind.is_last_resort:
            old_enough = now // 1000 - _SUPERSEDED_FOR
            useless.update(
                ref
                for successor, ref in pairwise(refs)
                if _made_at(bundles[successor]) < old_enough
            )
    return list(useless)


def _ref(bundle: KeyPackageBundle) -> bytes:
    return make_key_package_ref(bundle.suite, bundle.key_package)


def _made_at(bundle: KeyPackageBundle) -> int:
    """Unix seconds; an hour before the truth, for each alike (KEYS-8)."""
    lifetime = bundle.key_package.leaf_node.lifetime
    return 0 if lifetime is None else lifetime.not_before


def _expired(bundle: KeyPackageBundle, now: int) -> bool:
    lifetime = bundle.key_package.leaf_node.lifetime
    return lifetime is not None and lifetime.not_after < now // 1000
