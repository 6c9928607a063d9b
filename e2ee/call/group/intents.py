"""What hosts want of a group call: each an ``Intent``, which stays until the log shows it, whoever committed it.

A commit may lose its epoch to another one, or be refused; what was wanted is then wanted of the next epoch. So what waits
is not a commit but an intent: it names accounts and devices by their keys, never leaves, and says what it makes of a
profile and whom it removes. It is settled when that changes nothing any more. Two intents with the same ``subject`` say
different things about one and the same, and the newer one holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from e2ee.call.group.link import GroupLink
from e2ee.call.roster import Member
from e2ee.profile.call_profile import CallProfile, JoinPolicy

__all__ = [
    "Admission",
    "Ban",
    "EverybodySpeaks",
    "Hosting",
    "Intent",
    "JoinPolicyChange",
    "Removal",
    "Speaking",
    "brings_link",
    "leaves",
]

Subject = tuple[str, bytes]


class Intent(Protocol):
    """See the module."""

    @property
    def subject(self) -> Subject:
        """What it is about."""

    def profile_after(self, profile: CallProfile) -> CallProfile:
        """What it makes of a profile."""

    def removes(self, member: Member) -> bool:
        """Whether it takes this member out."""


def brings_link(intent: Intent) -> bool:
    """Whether all members are told of a new link before the commit (GROUP-14)."""
    return isinstance(intent, JoinPolicyChange) and intent.link is not None


def leaves(intent: Intent, members: Iterable[Member]) -> frozenset[int]:
    """The leaf indexes of those whom it removes."""
    return frozenset(member.leaf_index for member in members if intent.removes(member))


class _RemovesNobody:
    __slots__ = ()

    def removes(self, _member: Member) -> bool:
        """Nobody."""
        return False


@dataclass(frozen=True, slots=True)
class Removal:
    """A device is not to be in the call, wherever its leaf; it may ask again."""

    signature_key: bytes

    @property
    def subject(self) -> Subject:
        return "removal", self.signature_key

    def profile_after(self, profile: CallProfile) -> CallProfile:
        return profile

    def removes(self, member: Member) -> bool:
        return member.certificate.signature_key == self.signature_key


@dataclass(frozen=True, slots=True)
class Ban:
    """An account is not to be in the call, and not to come back. ``host_key`` is the account of the host who says so."""

    account_key: bytes
    host_key: bytes

    @property
    def subject(self) -> Subject:
        return "presence", self.account_key

    def profile_after(self, profile: CallProfile) -> CallProfile:
        speakers = _without(profile.speakers, self.account_key)
        return replace(
            profile,
            hosts=_without(profile.hosts, self.account_key),
            accounts=_without(profile.accounts, self.account_key),
            speakers=profile.speakers and (speakers or (self.host_key,)),
            banned=_with(profile.banned, self.account_key),
        )

    def removes(self, member: Member) -> bool:
        return member.account_key == self.account_key


@dataclass(frozen=True, slots=True)
class Admission(_RemovesNobody):
    """An account may come in (GROUP-10)."""

    account_key: bytes

    @property
    def subject(self) -> Subject:
        return "presence", self.account_key

    def profile_after(self, profile: CallProfile) -> CallProfile:
        return replace(profile, accounts=_with(profile.accounts, self.account_key))


@dataclass(frozen=True, slots=True)
class Hosting(_RemovesNobody):
    """An account is a host, or is none."""

    account_key: bytes
    is_host: bool

    @property
    def subject(self) -> Subject:
        return "hosting", self.account_key

    def profile_after(self, profile: CallProfile) -> CallProfile:
        change = _with if self.is_host else _without
        return replace(profile, hosts=change(profile.hosts, self.account_key))


@dataclass(frozen=True, slots=True)
class Speaking(_RemovesNobody):
    """An account may send media, or may not. ``host_key`` is the account of the host who says so.

    While everybody may, taking one off the stage leaves it to the accounts in ``others``. An empty list would mean
    everybody again, so the last one who is taken off leaves the host on it.
    """

    account_key: bytes
    speaks: bool
    host_key: bytes
    others: tuple[bytes, ...] = ()

    @property
    def subject(self) -> Subject:
        return "speaking", self.account_key

    def profile_after(self, profile: CallProfile) -> CallProfile:
        if self.speaks:
            if profile.may_speak(self.account_key):
                return profile
            return replace(profile, speakers=_with(profile.speakers, self.account_key))
        gone = {self.account_key, *profile.banned}
        remaining = tuple(key for key in profile.speakers or self.others if key not in gone)
        return replace(profile, speakers=remaining or (self.host_key,))


@dataclass(frozen=True, slots=True)
class EverybodySpeaks(_RemovesNobody):
    """There are no viewers any more."""

    @property
    def subject(self) -> Subject:
        return "everybody speaks", b""

    def profile_after(self, profile: CallProfile) -> CallProfile:
        return replace(profile, speakers=())


@dataclass(frozen=True, slots=True)
class JoinPolicyChange(_RemovesNobody):
    """Who may come is decided otherwise; by ``link``, which is a new one, if the policy is link (GROUP-14)."""

    join_policy: JoinPolicy
    link: GroupLink | None = None

    @property
    def subject(self) -> Subject:
        return "join policy", b""

    def profile_after(self, profile: CallProfile) -> CallProfile:
        link_id = b"" if self.link is None else self.link.psk_id
        return replace(profile, join_policy=self.join_policy, link_id=link_id)


def _with(keys: tuple[bytes, ...], key: bytes) -> tuple[bytes, ...]:
    return keys if key in keys else (*keys, key)


def _without(keys: tuple[bytes, ...], key: bytes) -> tuple[bytes, ...]:
    return tuple(each for each in keys if each != key)
