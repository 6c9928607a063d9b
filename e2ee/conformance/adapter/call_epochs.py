"""The chapter Key agreement: a device that joins a call by a Welcome, and follows its commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from e2ee.call.group.link import GroupLink
from e2ee.call.logged import Links, psks_of, stage
from e2ee.call.mls_messages import body
from e2ee.conformance.adapter.judging import refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.crypto.secret import Secret
from e2ee.mls.group import Group
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import call_profile, check_profile
from e2ee.profile.leaves import receiver_policy
from e2ee.profile.roster import Roster, roster
from e2ee.profile.suites import sframe_suite
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.mls import export_base_key


def _bundle(given: Given) -> KeyPackageBundle:
    private = ("init_private_key", "encryption_private_key", "signature_private_key")
    return KeyPackageBundle.of(
        KeyPackage.decode(bytes.fromhex(given["key_package"])),
        *(Secret(bytes.fromhex(given[name])) for name in private),
    )


def _links(given: Given) -> Links:
    if given["link"] is None:
        return {}
    call_id, secret = (bytes.fromhex(given["link"][name]) for name in ("call_id", "secret"))
    link = GroupLink(call_id, Secret(secret))
    return {link.psk_id: link}


@dataclass(frozen=True, slots=True)
class _Member:
    """A device in a call."""

    group: Group
    roster: Roster
    links: Links
    now: int

    @classmethod
    def joining(cls, given: Given) -> _Member:
        """By a Welcome: RFC 9420, then KEYS-6, KEYS-9, KEYS-10 and KEYS-19."""
        bundle, links = _bundle(given), _links(given)
        psks = psks_of(links, bundle.suite.kdf.Nh)
        tree = given["ratchet_tree"]
        group = join(
            body(Welcome, bytes.fromhex(given["welcome"])),
            bundle,
            policy=receiver_policy(given["now"]),
            ratchet_tree=None if tree is None else bytes.fromhex(tree),
            psks=psks,
            required_psks=psks.keys(),
        )
        check_profile(call_profile(group.extensions), group.group_id)
        return cls(group, roster(group.tree), links, given["now"])

    def following(self, message: str) -> tuple[dict[str, Any], _Member | None]:
        """A commit, and the member in the epoch that it begins, if it is still one."""
        data = bytes.fromhex(message)
        logged = stage(self.group, self.roster, self.links, data, self.now)
        said = {
            "commit": logged.kind,
            "committer": logged.committer,
            "added": sorted(member.leaf_index for member in logged.added),
            "removed": sorted(logged.removed),
        }
        if logged.removes_own_leaf:
            return said, None
        entered = self.group.merge(logged.staged)
        return said, _Member(entered, logged.roster_after, self.links, self.now)

    def said(self) -> dict[str, Any]:
        """What it knows of the epoch."""
        group, suite = self.group, cipher_suite(sframe_suite(self.group.cipher_suite.code_point))
        return {
            "epoch": group.epoch,
            "own_leaf": group.own_leaf_index,
            "members": [
                {"leaf": leaf, "signature_key": certificate.signature_key.hex()}
                for leaf, certificate in sorted(self.roster.items())
            ],
            "group_context": group.group_context.encode().hex(),
            "epoch_authenticator": group.epoch_authenticator.hex(),
            "base_key": export_base_key(group.export, suite).hex(),
        }


@operation("key-agreement/welcome")
@refusing
def welcome(given: Given) -> Answer:
    """What the device knows that has joined."""
    return Accepted(_Member.joining(given).said())


@operation("key-agreement/commit")
@refusing
def commit(given: Given) -> Answer:
    """What it knows after the commit."""
    member: _Member | None = _Member.joining(given["join"])
    for message in given["before"]:
        _, member = _there(member).following(message)
    said, after = _there(member).following(given["message"])
    return Accepted({**said, "group": None if after is None else after.said()})


def _there(member: _Member | None) -> _Member:
    if member is None:
        raise LookupError("removed before")
    return member
