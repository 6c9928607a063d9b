"""A group call to be judged: Alice is its host, Bob is in it with two devices, Carol with one.

Dave and Erin ask to join; Mallory is banned. Everybody's KeyPackage for the call is made once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.identity.account import AccountKey
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.framing import Sender
from e2ee.mls.proposal import (
    Add,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ProposalContent,
)
from e2ee.mls.psk import PreSharedKeyID
from e2ee.mls.update_path import UpdatePath
from e2ee.profile.call_profile import CallProfile, JoinPolicy, group_extensions, group_profile
from e2ee.profile.gone import GoneStatement, encode_statements, signed
from e2ee.profile.join import join_extension
from e2ee.profile.legal_commits import LegalCommit, judge
from e2ee.profile.roster import Roster
from tests.profile.conftest import NOW, Device, new_device

__all__ = [
    "ALICE",
    "BOB_LAPTOP",
    "BOB_PHONE",
    "CALL_ID",
    "CAROL",
    "EPOCH",
    "LINK_ID",
    "NEW_LINK_ID",
    "PROOF",
    "SERVICE",
    "Scene",
    "add",
    "device",
    "gone",
    "key",
    "profile_of",
    "psk",
]

ALICE, BOB_PHONE, BOB_LAPTOP, CAROL = range(4)

CALL_ID, EPOCH = bytes(range(16)), 7
PROOF = bytes([7]) * 32
LINK_ID = b"E2EE Call 1.0 Link" + bytes(16)
NEW_LINK_ID = b"E2EE Call 1.0 Link" + bytes([1]) * 16
SERVICE = ED25519.generate(SeededEntropy(b"the delivery service"))

OTHER_BOB = AccountKey.create("bob", SeededEntropy(b"who calls himself bob"))


@cache
def device(
    account_id: str, device_id: int = 1, call_id: bytes | None = CALL_ID, proof: bytes = PROOF
) -> Device:
    """A device with a KeyPackage made to join a call, or one of the directory; ``bob?`` is another who calls himself so."""
    marks = () if call_id is None else (join_extension(call_id, NOW, proof),)
    if account_id == "bob?":
        return new_device("bob", device_id, account=OTHER_BOB, marks=marks)
    return new_device(account_id, device_id, marks=marks)


def key(account_id: str) -> bytes:
    """An account's key."""
    return device(account_id).account.public


def add(account_id: str, device_id: int = 1, **how: Any) -> Add:
    """The proposal to add this device."""
    return Add(device(account_id, device_id, **how).key_package)


def psk(psk_id: bytes = LINK_ID, nonce: int = 0) -> PreSharedKey:
    """The proposal of an external PSK."""
    return PreSharedKey(PreSharedKeyID.external(psk_id, bytes([nonce]) * 32))


def profile_of(profile: CallProfile) -> GroupContextExtensions:
    """The proposal of another profile."""
    return GroupContextExtensions(group_extensions(profile))


def gone(leaf: int, group_id: bytes = CALL_ID, epoch: int = EPOCH) -> GoneStatement:
    """What the service says of the member at this leaf."""
    return signed(SERVICE, group_id, epoch, leaf, NOW)


LINKED = replace(
    group_profile(
        key("alice"),
        SERVICE.public,
        join_policy=JoinPolicy.LINK,
        accounts=[key("dave")],
        link_id=LINK_ID,
    ),
    banned=(key("mallory"),),
)

IN_THE_CALL = (device("alice"), device("bob", 1), device("bob", 2), device("carol"))


@dataclass
class Scene:
    """The call in one epoch; the policy is link, and Dave is listed."""

    profile: CallProfile = LINKED
    devices: list[Device] = field(default_factory=lambda: list(IN_THE_CALL))

    @property
    def members(self) -> Roster:
        """Who is in the call."""
        return {leaf: device.certificate for leaf, device in enumerate(self.devices)}

    def with_policy(self, policy: JoinPolicy) -> Scene:
        """The same call with a policy that needs no link."""
        self.profile = replace(self.profile, join_policy=policy, link_id=b"")
        return self

    def commit(self, committer: int, *contents: ProposalContent) -> Commit:
        """A commit with these proposals by value, and a path."""
        proposals = tuple(ProposalOrRef.by_value(Proposal(content)) for content in contents)
        return Commit(proposals, UpdatePath(self.devices[committer].leaf_node, ()))

    def judge(
        self,
        committer: int,
        *contents: ProposalContent,
        statements: Sequence[GoneStatement] = (),
        authenticated_data: bytes | None = None,
    ) -> LegalCommit:
        """What everybody says of a commit with these proposals and GoneStatements."""
        beside = encode_statements(statements) if authenticated_data is None else authenticated_data
        return self.judge_commit(committer, self.commit(committer, *contents), beside)

    def judge_commit(self, committer: int, commit: Commit, beside: bytes = b"") -> LegalCommit:
        """What everybody says of a commit."""
        sender = Sender.member(committer)
        return judge(self.profile, CALL_ID, EPOCH, self.members, sender, commit, beside)
