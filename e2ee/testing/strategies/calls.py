"""What fixes a call: its profile, who asks to join, who is gone, and links to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from hypothesis import strategies as st

from e2ee.call.group.link import GroupLink
from e2ee.crypto.signature import SigningKey
from e2ee.identity.labels import label
from e2ee.profile.call_profile import (
    CallKind,
    CallProfile,
    JoinPolicy,
    group_profile,
    one_to_one,
    ring,
)
from e2ee.profile.gone import GoneStatement, signed
from e2ee.profile.join import PROOF_LENGTH, Join
from e2ee.testing.strategies.octets import entropies, octets, unsigned

__all__ = [
    "almost_call_profiles",
    "call_ids",
    "call_profiles",
    "gone_statements",
    "group_links",
    "joins",
]

_FEW_ACCOUNTS = 4


def call_ids() -> st.SearchStrategy[bytes]:
    """Call ids, which are the group ids of calls: 16 bytes."""
    return octets(16)


@st.composite
def call_profiles(draw: st.DrawFn, kind: CallKind | None = None) -> CallProfile:
    """Profiles that ``check_profile`` takes: of rings, of one-to-one calls, and of group calls as hosts have changed them.

    ``call_profiles(CallKind.GROUP)`` draws ``CallProfile(..., hosts=(b"...",), join_policy=2, link_id=b"E2EE Call 1.0 Link...")``.
    """
    if kind is None:
        kind = draw(st.sampled_from([CallKind.RING, CallKind.ONE_TO_ONE, CallKind.GROUP]))
    keys = draw(st.lists(octets(32), min_size=2, max_size=3 * _FEW_ACCOUNTS, unique=True))
    delivery_key = draw(octets(32))
    if kind is not CallKind.GROUP:
        of_two = {CallKind.RING: ring, CallKind.ONE_TO_ONE: one_to_one}[kind]
        return of_two(keys[0], keys[1], delivery_key)
    policy = draw(st.sampled_from(JoinPolicy))
    banned = draw(st.integers(0, len(keys) - 1))
    welcome = keys[banned:]
    made = group_profile(
        welcome[0],
        delivery_key,
        join_policy=policy,
        accounts=_some(draw, welcome),
        speakers=_some(draw, welcome),
        link_id=label("Link") + draw(octets(16)) if policy is JoinPolicy.LINK else b"",
    )
    hosts = (*made.hosts, *_some(draw, welcome[1:]))
    return replace(made, hosts=hosts, banned=tuple(keys[:banned]))


def _some(draw: st.DrawFn, keys: list[bytes]) -> tuple[bytes, ...]:
    if not keys:
        return ()
    return tuple(draw(st.lists(st.sampled_from(keys), max_size=_FEW_ACCOUNTS, unique=True)))


_SPOILT: Mapping[str, Callable[[CallProfile], CallProfile]] = {
    "kind": lambda profile: replace(profile, kind=7),
    "version": lambda profile: replace(profile, version=0x0200),
    "S": lambda profile: replace(profile, S=11),
    "E": lambda profile: replace(profile, E=3),
    "stamps": lambda profile: replace(profile, stamps=1),
    "signed_lists": lambda profile: replace(profile, signed_lists=1),
    "join_policy": lambda profile: replace(profile, join_policy=9),
    "link_id": lambda profile: replace(profile, link_id=profile.link_id + b"x"),
    "accounts": lambda profile: replace(profile, accounts=(bytes(32), bytes(32))),
    "banned": lambda profile: replace(
        profile, banned=(*profile.banned, *profile.accounts, *profile.hosts)
    ),
}


@st.composite
def almost_call_profiles(draw: st.DrawFn) -> CallProfile:
    """Profiles in which one field is wrong: ``check_profile`` refuses each with BAD_CALL_PROFILE (KEYS-10, KEYS-19, KEYS-22)."""
    profile = draw(call_profiles())
    return _SPOILT[draw(st.sampled_from([*_SPOILT]))](profile)


def joins(policy: JoinPolicy | None = None) -> st.SearchStrategy[Join]:
    """The extension of who asks to join a call (KEYS-21): with a proof if the policy is link, and without if it is another.

    ``joins(JoinPolicy.CLOSED)`` draws ``Join(call_id=b"...", created_at=1_800_000_000_000, link_proof=b"")``.
    """
    proofs = octets(PROOF_LENGTH) if policy is JoinPolicy.LINK else st.just(b"")
    if policy is None:
        proofs |= octets(PROOF_LENGTH)
    return st.builds(Join, call_ids(), unsigned(64), proofs)


def gone_statements(
    delivery_key: SigningKey,
    group_id: st.SearchStrategy[bytes] | None = None,
    epoch: st.SearchStrategy[int] | None = None,
) -> st.SearchStrategy[GoneStatement]:
    """The service's statements that members are gone (KEYS-24), signed.

    ``gone_statements(key, st.just(call_id), st.just(7))`` draws those that count in epoch 7 of this call.
    """
    return st.builds(
        lambda group, number, leaf, since: signed(delivery_key, group, number, leaf, since),
        call_ids() if group_id is None else group_id,
        unsigned(64) if epoch is None else epoch,
        st.integers(0, 1023),
        unsigned(64),
    )


def group_links() -> st.SearchStrategy[GroupLink]:
    """Links to group calls: with a secret, or naming a host (GROUP-3).

    ``group_links()`` draws ``GroupLink(call_id, Secret(...))`` and ``GroupLink(call_id, None, host_key)``.
    """
    with_secret = st.builds(
        lambda entropy, call_id: GroupLink.create(entropy.fork(b"link"), call_id),
        entropies(),
        call_ids(),
    )
    to_host = st.builds(lambda call_id, key: GroupLink(call_id, None, key), call_ids(), octets(32))
    return with_secret | to_host
