"""One commit, as it is put together: proposals that are legal together (KEYS-20) and valid in this epoch.

Every step either takes something in or leaves it out; what is left out waits. Judged is by the profile that holds after the
commit, as everybody who receives it will.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.call.epochs import Epochs
from e2ee.call.group.configuration import MAX_PROPOSALS
from e2ee.call.group.intents import Intent, JoinPolicyChange, brings_link, leaves
from e2ee.call.group.join_requests import JoinRequest, check_age
from e2ee.call.group.link import GroupLink
from e2ee.call.roster import Member
from e2ee.errors import RemoteProtocolError
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.proposal import Add, GroupContextExtensions, ProposalContent, Remove
from e2ee.profile.call_profile import (
    CallProfile,
    JoinPolicy,
    check_group_call,
    group_extensions,
)
from e2ee.profile.gone import GoneStatement, encode_statements
from e2ee.profile.join import check_join
from e2ee.profile.leaves import MAX_LEAVES

__all__ = ["Draft", "Drafting"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a commit brings: its proposals, what is signed beside them, whom it adds, and the link that it makes valid.

    ``wanted`` are the intents that it carries out. ``settled``, ``impossible`` and ``useless`` are in no commit, ever: what a
    host has already, or cannot have, and who cannot be added.
    """

    proposals: tuple[ProposalContent, ...]
    authenticated_data: bytes
    requests: tuple[JoinRequest, ...]
    new_link: GroupLink | None
    wanted: tuple[Intent, ...]
    settled: tuple[Intent, ...]
    impossible: tuple[Intent, ...]
    useless: tuple[JoinRequest, ...]


class Drafting:
    """See the module."""

    def __init__(self, call_id: bytes, epochs: Epochs) -> None:
        self._call_id = call_id
        self._epochs = epochs
        self._profile: CallProfile = epochs.profile
        self._removed: set[int] = set()
        self._wanted: list[Intent] = []
        self._statements: list[GoneStatement] = []
        self._link = epochs.link
        self.added: list[JoinRequest] = []
        self._settled: list[Intent] = []
        self._impossible: list[Intent] = []
        self._useless: list[JoinRequest] = []

    def want(self, intent: Intent) -> None:
        """What a host wants, if it still makes sense."""
        profile = intent.profile_after(self._profile)
        removed = leaves(intent, self._epochs.members)
        if profile == self._profile and not removed:
            self._settled.append(intent)
            return
        too_many = len(removed) + 2 > MAX_PROPOSALS
        if too_many or self._epochs.own_leaf in removed or not self._is_profile(profile):
            self._impossible.append(intent)
            return
        # GROUP-14: "not while it removes somebody": who goes would take the new link along
        if not self._fits(len(removed)) or (brings_link(intent) and self._removed):
            return
        self._profile = profile
        self._removed |= removed
        self._wanted.append(intent)
        if isinstance(intent, JoinPolicyChange):
            self._link = intent.link

    def _is_profile(self, profile: CallProfile) -> bool:
        try:
            check_group_call(profile, self._call_id)
        except RemoteProtocolError:
            return False
        return True

    def remove_gone(self, statement: GoneStatement) -> None:
        """Who is gone, unless a host removes it anyway."""
        if statement.leaf not in self._removed and self._fits(1):
            self._removed.add(statement.leaf)
            self._statements.append(statement)

    def add(self, request: JoinRequest, now: int) -> None:
        """Who asks to come in, in the place of an earlier leaf of the same device (GROUP-21)."""
        replaced = {
            leaf
            for leaf, each in self._members().items()
            if _device(each) == _device(request.certificate)
        }
        may_come = (
            self._may_come(request, now)
            and self._epochs.own_leaf not in replaced
            and not self._is_wanted_out(request)
        )
        if not may_come or not self._goes_with_others(request, replaced):
            self._useless.append(request)
        elif self._fits(1 + len(replaced)):
            # GROUP-21: "the commit that adds it MUST remove the old leaf of the same (`account_id`, `device_id`)"
            self._removed |= replaced
            self.added.append(request)

    def _is_wanted_out(self, request: JoinRequest) -> bool:
        """Whether this commit removes that device: it asked before, and may ask again afterwards."""
        newcomer = Member(self._epochs.own_leaf, request.certificate)
        return any(intent.removes(newcomer) for intent in self._wanted)

    def _may_come(self, request: JoinRequest, now: int) -> bool:
        """GROUP-9, GROUP-12, by the profile after the commit."""
        if not self._profile.admits(request.certificate.account_key):
            return False
        try:
            check_age(request.created_at, now)
            check_join(request.key_package, self._call_id, self._profile.join_policy)
        except RemoteProtocolError:
            return False
        if self._profile.join_policy != JoinPolicy.LINK:
            return True
        return self._link is not None and self._link.is_proven_by(request.key_package)

    def _goes_with_others(self, request: JoinRequest, replaced: set[int]) -> bool:
        """IDENT-11, KEYS-23."""
        staying = [each for leaf, each in self._members().items() if leaf not in replaced]
        others = [*staying, *(each.certificate for each in self.added)]
        return len(others) < MAX_LEAVES and all(
            _go_together(request.certificate, other) for other in others
        )

    def _members(self) -> dict[int, VerifiedCertificate]:
        """Those who stay."""
        return {
            member.leaf_index: member.certificate
            for member in self._epochs.members
            if member.leaf_index not in self._removed
        }

    @property
    def is_full(self) -> bool:
        """Whether nobody more can be added by this commit."""
        return not self._fits(1)

    def _fits(self, more: int) -> bool:
        """Whether there is room for so many more proposals, and for a new profile and a PSK."""
        return len(self._removed) + len(self.added) + more + 2 <= MAX_PROPOSALS

    def draft(self) -> Draft:
        """What was put together."""
        changed = self._profile != self._epochs.profile
        proposals: list[ProposalContent] = []
        if changed:
            proposals.append(GroupContextExtensions(group_extensions(self._profile)))
        proposals += [Remove(leaf) for leaf in sorted(self._removed)]
        proposals += [Add(request.key_package) for request in self.added]
        is_new = self._profile.link_id not in (b"", self._epochs.profile.link_id)
        return Draft(
            tuple(proposals),
            encode_statements(self._statements),
            tuple(self.added),
            self._link if is_new else None,
            tuple(self._wanted),
            tuple(self._settled),
            tuple(self._impossible),
            tuple(self._useless),
        )


def _device(certificate: VerifiedCertificate) -> tuple[str, bytes, int]:
    return certificate.account_id, certificate.account_key, certificate.device_id


def _go_together(one: VerifiedCertificate, other: VerifiedCertificate) -> bool:
    if one.signature_key == other.signature_key:
        return False
    if one.account_id != other.account_id:
        return True
    return one.account_key == other.account_key and one.device_id != other.device_id
