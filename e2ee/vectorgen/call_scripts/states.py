"""The named states in which scripts of calls between two begin: a device with its keys, and the call that it is in.

Alice calls Bob, who has a phone and a laptop. Each function gives the room of a state anew, as the others have it, so that a
recipe can go on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.signalling.wire import encode
from e2ee.vectorgen.call_profiles import ONE_TO_ONE, RING, Profile
from e2ee.vectorgen.call_scripts.people import (
    CLOCK,
    DELIVERY,
    DIRECTORY,
    DIRECTORY_KEY_ID,
    HYBRID,
    SUITE,
    Actor,
    bundle_document,
    entropy,
)
from e2ee.vectorgen.call_scripts.room import Room

__all__ = [
    "ALICE",
    "LAPTOP",
    "PHONE",
    "STATES",
    "answered",
    "calling",
    "device_document",
    "profile_of_two",
    "ring_answered",
    "ring_calling",
    "state_document",
]

ALICE, PHONE, LAPTOP = Actor("alice"), Actor("bob", 1), Actor("bob", 2)
BOTH = (SUITE, HYBRID)
HYBRID_ALICE, HYBRID_PHONE = Actor("alice", 7, suites=BOTH), Actor("bob", 7, suites=BOTH)


def profile_of_two(caller: Actor = ALICE, callee: Actor = PHONE, kind: int = ONE_TO_ONE) -> Profile:
    """KEYS-10, KEYS-22."""
    accounts = (caller.account_key, callee.account_key)
    return Profile(kind=kind, accounts=accounts, delivery_key=DELIVERY.public)


def device_document(actor: Actor, bundles: Sequence[KeyPackageBundle] = ()) -> dict[str, Any]:
    """A device with all that only it has."""
    return {
        "certificate": actor.certificate,
        "signature_key": actor.leaf.public,
        "signature_private_key": actor.leaf.private,
        "key_packages": [bundle_document(bundle) for bundle in bundles],
    }


def state_document(
    comment: str,
    actor: Actor,
    bundles: Sequence[KeyPackageBundle] = (),
    *,
    before: Sequence[Mapping[str, Any]] = (),
    **call: Any,
) -> dict[str, Any]:
    """A state as it stands in the file."""
    return {
        "comment": comment,
        "clock": CLOCK,
        "device": device_document(actor, bundles),
        "directory_keys": [{"id": DIRECTORY_KEY_ID, "key": DIRECTORY.public}],
        "delivery_key": DELIVERY.public,
        **call,
        "before": list(before),
    }


OFFER = messages.Offer(CLOCK, "video")
GROUP_OFFER = messages.GroupOffer(
    CLOCK,
    "video",
    entropy("the group call").random(16),
    (ALICE.account_key,),
    entropy("the link").random(32),
    ("alice",),
)


def phone_bundles(suite: int = SUITE, actor: Actor = PHONE) -> list[KeyPackageBundle]:
    """Those that wait for an invitation."""
    return [actor.bundle("waiting", suite=suite), actor.bundle("second", suite=suite)]


def calling(suite: int = SUITE) -> Room:
    """Alice's device has called; Bob's phone and laptop ring, in epoch 1."""
    seats = {0: ALICE, 1: PHONE, 2: LAPTOP}
    if suite == HYBRID:
        seats = {0: HYBRID_ALICE, 1: HYBRID_PHONE}
    return _room("calling", seats, own=0, epoch=1, suite=suite)


def answered(suite: int = SUITE) -> Room:
    """Bob's phone has answered, in epoch 2."""
    seats = {0: ALICE, 1: PHONE}
    if suite == HYBRID:
        seats = {0: HYBRID_ALICE, 1: HYBRID_PHONE}
    return _room("answered", seats, own=1, epoch=2, suite=suite)


def ring_calling() -> Room:
    """The same as ``calling``, in a ring group."""
    return _room("ring calling", {0: ALICE, 1: PHONE}, own=0, epoch=1, kind=RING)


def ring_answered() -> Room:
    """The same as ``answered``, in a ring group."""
    return _room("ring answered", {0: ALICE, 1: PHONE}, own=1, epoch=2, kind=RING)


def _room(
    name: str,
    seats: Mapping[int, Actor],
    *,
    own: int,
    epoch: int,
    suite: int = SUITE,
    kind: int = ONE_TO_ONE,
) -> Room:
    return Room(
        f"{name} {suite}",
        profile_of_two(seats[0], seats[1], kind),
        entropy("call id", name, f"{suite}").random(16),
        seats,
        own=own,
        epoch=epoch,
        suite=suite,
        signer=1 - own,
    )


def _in_call(
    comment: str,
    room: Room,
    offer: CallMessage = OFFER,
    *,
    bundles: Sequence[KeyPackageBundle] = (),
) -> dict[str, Any]:
    """The state of who is in this room already."""
    call = {
        "welcome": room.welcome(room.own),
        "joined_with": bundle_document(room.own_bundle),
        "offer": encode(offer),
    }
    own = room.people[room.own]
    return state_document(comment, own, bundles, before=[{"at": 0}], in_call=call)


STATES: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    "phone": lambda: state_document(
        "Bob's phone, which is in no call. Two of its KeyPackages wait for an invitation.",
        PHONE,
        phone_bundles(),
    ),
    "hybrid-phone": lambda: state_document(
        "Another phone of Bob's, which has both suites, with a KeyPackage of each.",
        HYBRID_PHONE,
        [phone_bundles(suite, HYBRID_PHONE)[0] for suite in BOTH],
    ),
    "caller": lambda: state_document("Alice's device, which is in no call.", ALICE),
    "calling": lambda: _in_call(
        "Alice's device, which has called Bob: epoch 1 has begun, his phone (leaf 1) and his laptop (leaf 2) may ring.",
        calling(),
    ),
    "accepting": lambda: _in_call(
        "Bob's phone (leaf 1), which has answered Alice's call: epoch 2 has begun, and Alice has not said `accepted`.",
        answered(),
    ),
    "accepting-and-waiting": lambda: _in_call(
        "As accepting, with KeyPackages that wait for other invitations.",
        answered(),
        bundles=phone_bundles(),
    ),
    "hybrid-calling": lambda: _in_call(
        "As calling, in the hybrid suite, with one device on each side.", calling(HYBRID)
    ),
    "ring-calling": lambda: _in_call(
        "As calling, in a ring group with Bob's phone alone.", ring_calling(), GROUP_OFFER
    ),
    "ring-accepting": lambda: _in_call(
        "As accepting, in a ring group.", ring_answered(), GROUP_OFFER
    ),
}
