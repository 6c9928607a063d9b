"""Asking to be let in: the KeyPackages of one device that wants to join a group call, until one of them was added (GROUP-7).

    asking = Asking(entrance, suites)
    asking.ask(owner, now)             the next request, with a KeyPackage of its own
    asking.due_at                      when to ask again
    asking.bundle_for(welcome)         what a Welcome is for

Their private halves are here and nowhere else, and go with this object. A Welcome may be for a KeyPackage that was followed
by another: so each is kept for as long as a committer may add it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from e2ee.call.errors import CallRefused
from e2ee.call.group.configuration import ASK_AGAIN, ASK_AGAIN_IN_LOBBY, JOIN_AGE
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.link import GroupLink
from e2ee.call.owner import Owner
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.welcome import Welcome
from e2ee.signalling import messages

__all__ = ["Asking", "Entrance"]

KEPT_FOR = 2 * JOIN_AGE
"""GROUP-27: a committer's clock may be as far behind as a request may be old (GROUP-9)."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a device came to a group call: by a link with a secret, or told of hosts by their account keys."""

    link: GroupLink
    hosts: frozenset[bytes] = frozenset()

    @classmethod
    def by(cls, link: GroupLink) -> Entrance:
        """By a link alone."""
        return cls(link, frozenset() if link.host_key is None else frozenset({link.host_key}))

    @property
    def call_id(self) -> bytes:
        """Of the call behind it."""
        return self.link.call_id


@dataclass(slots=True)
class _Asked:
    bundle: KeyPackageBundle = field(repr=False)
    at: int


class Asking:
    """See the module. ``suites`` are MLS suites that this device would join in, from lower to higher."""

    def __init__(self, entrance: Entrance, suites: Sequence[int]) -> None:
        self.entrance = entrance
        self.in_lobby = False
        self._suites = list(suites)
        self._asked: dict[bytes, _Asked] = {}
        self._last: int | None = None

    def ask(self, owner: Owner, now: int) -> messages.Join:
        """A new request. GROUP-7: "MUST make a KeyPackage for this call"."""
        bundle = owner.new_join_key_package(self._suites[-1], self.entrance.link, now)
        self.forget_old(now)
        return self.ask_with(bundle, now)

    def ask_with(self, bundle: KeyPackageBundle, now: int) -> messages.Join:
        """The same with this KeyPackage, which was made for it."""
        self._asked[make_key_package_ref(bundle.suite, bundle.key_package)] = _Asked(bundle, now)
        self._last = now
        encoded = MLSMessage.of(bundle.key_package).encode()
        return messages.Join(self.entrance.call_id, encoded)

    @property
    def due_at(self) -> int | None:
        """GROUP-7: "it MUST ask again, with a new one, after 3 s, in the lobby after 45 s"; None while nobody can be asked."""
        if self._last is None:
            return None
        return self._last + (ASK_AGAIN_IN_LOBBY if self.in_lobby else ASK_AGAIN)

    def wait_for(self, now: int) -> None:
        """What was asked already may be answered yet."""
        self._last = now

    def pause(self) -> None:
        """There is no connection to the service."""
        self._last = None

    @property
    def has_other_suite(self) -> bool:
        """Whether there is a suite to try if the call is of another one than that which was asked with."""
        return len(self._suites) > 1

    def take_next_suite(self) -> None:
        """Ask with the next one."""
        self._suites.pop()

    def forget_old(self, now: int) -> None:
        """What nobody adds any more: its private keys go."""
        self._asked = {ref: each for ref, each in self._asked.items() if each.at > now - KEPT_FOR}

    def has_asked_with(self, ref: bytes) -> bool:
        """Whether this KeyPackageRef is of a request that was made here and not used."""
        return ref in self._asked

    def bundle_for(self, welcome: Welcome) -> KeyPackageBundle:
        """The KeyPackage that a Welcome is for. Raises CallRefused."""
        for entry in welcome.secrets:
            if (asked := self._asked.get(entry.new_member)) is not None:
                return asked.bundle
        raise CallRefused(GroupReason.NOT_ASKED_FOR, "with no KeyPackage of this device")

    def used(self, bundle: KeyPackageBundle) -> None:
        """It brought this device in: its private keys go, as those of all requests before it."""
        ref = make_key_package_ref(bundle.suite, bundle.key_package)
        at = self._asked[ref].at
        self._asked = {each: asked for each, asked in self._asked.items() if asked.at > at}
