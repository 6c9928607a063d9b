"""The group call to which a ring group invites (GROUP-5): what people are shown of it, and what it takes to ask to join."""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.account_id import flaw
from e2ee.call.group.link import GroupLink
from e2ee.crypto.secret import Secret
from e2ee.signalling.messages import GroupOffer

__all__ = ["MAX_PEOPLE", "OfferedGroup", "fault", "link_of"]

KEY_LENGTH = SECRET_LENGTH = 32

MAX_PEOPLE = 100
"""GROUP-5: so many accounts at most are named for display."""


@dataclass(frozen=True, slots=True)
class OfferedGroup:
    """A group call as an invitation tells of it: its hosts by their account keys, and accounts that are said to be in it."""

    group_call_id: bytes
    hosts: tuple[bytes, ...]
    people: tuple[str, ...]

    @classmethod
    def of(cls, offer: GroupOffer) -> OfferedGroup:
        """What may be shown of a checked offer."""
        return cls(offer.group_call_id, offer.hosts, offer.people)


def fault(offer: GroupOffer) -> str | None:
    """What is wrong with an offer by GROUP-5, or None: one rule for those that are made and those that come."""
    # GROUP-5: "MUST refuse one without a host, with a host key that is not 32 bytes long, or a secret that is not"
    if not offer.hosts:
        return "no host"
    if any(len(host) != KEY_LENGTH for host in offer.hosts):
        return "a host key of another length"
    if offer.link_secret is not None and len(offer.link_secret) != SECRET_LENGTH:
        return "a link secret of another length"
    # GROUP-5: "and one that names more than 100 people, or anybody by what is no account id"
    if len(offer.people) > MAX_PEOPLE:
        return f"{len(offer.people)} people"
    if any(flaw(account_id) is not None for account_id in offer.people):
        return "people who are no accounts"
    return None


def link_of(offer: GroupOffer) -> GroupLink:
    """The call to ask to join, as a checked offer names it (GROUP-11): with the link's secret, or with its first host."""
    if offer.link_secret is None:
        return GroupLink(offer.group_call_id, None, offer.hosts[0])
    return GroupLink(offer.group_call_id, Secret(offer.link_secret))
