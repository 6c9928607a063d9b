"""The named states in which scripts of group calls begin: a device that has asked to be let in, or that is in.

Alice's laptop (leaf 0) is there, a host, and Bob (leaf 1). Who joins is leaf 2: Carol, or Alice's tablet, which is a host's device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.signalling import messages
from e2ee.vectorgen.call_profiles import ADMITTED, GROUP_CALL, LINK, Profile
from e2ee.vectorgen.call_scripts.people import (
    DELIVERY,
    HYBRID,
    SUITE,
    Actor,
    Link,
    bundle_document,
    entropy,
)
from e2ee.vectorgen.call_scripts.room import Room
from e2ee.vectorgen.call_scripts.script import received
from e2ee.vectorgen.call_scripts.states import state_document

__all__ = [
    "ALICE",
    "BOB",
    "CALL_ID",
    "CAROL",
    "DAVE",
    "LINK_OF_CALL",
    "STATES",
    "TABLET",
    "added",
    "meeting",
    "profile_of_group",
]

ALICE, BOB, CAROL, DAVE = (Actor(name) for name in ("alice", "bob", "carol", "dave"))
TABLET = Actor("alice", 2)
BOTH = (SUITE, HYBRID)
HYBRID_CAROL = Actor("carol", 7, suites=BOTH)
HYBRID_ALICE = Actor("alice", 7, suites=BOTH)

CALL_ID = entropy("group call id").random(16)
LINK_OF_CALL = Link(CALL_ID, entropy("group call link").random(32))


def profile_of_group(**values: Any) -> Profile:
    """KEYS-19: by a link, unless ``values`` say otherwise."""
    usual: dict[str, Any] = {
        "kind": GROUP_CALL,
        "hosts": (ALICE.account_key,),
        "link_id": LINK_OF_CALL.psk_id,
        "join_policy": LINK,
        "delivery_key": DELIVERY.public,
    }
    return Profile(**(usual | values))


def meeting(
    name: str = "meeting",
    own: Actor = CAROL,
    *,
    seats: Mapping[int, Actor] | None = None,
    epoch: int = 5,
    link: Link | None = LINK_OF_CALL,
    profile: Profile | None = None,
    own_bundle: KeyPackageBundle | None = None,
    **how: Any,
) -> Room:
    """The group of the call, to which the scripted device is added as leaf 2."""
    chosen = how.setdefault("suite", SUITE)
    bundle = own_bundle or own.joining(how.get("call_id", CALL_ID), link, "own", suite=chosen)
    how.pop("call_id", None)
    return Room(
        name,
        profile or profile_of_group(),
        CALL_ID,
        seats or {0: ALICE, 1: BOB, 2: own},
        own=2,
        epoch=epoch,
        link=link,
        own_bundle=bundle,
        **how,
    )


def admitted(
    name: str = "admitted",
    own: Actor = CAROL,
    *,
    seats: Mapping[int, Actor] | None = None,
    **profile: Any,
) -> Room:
    """The same without a link: hosts admit."""
    usual: dict[str, Any] = {
        "link_id": b"",
        "join_policy": ADMITTED,
        "accounts": (BOB.account_key, CAROL.account_key),
    }
    return meeting(name, own, seats=seats, link=None, profile=profile_of_group(**(usual | profile)))


def host(name: str = "host", **how: Any) -> Room:
    """Alice's tablet is in, beside her laptop."""
    return meeting(name, TABLET, **how)


def lobby_host() -> Room:
    """The same in a call without a link."""
    return admitted("lobby host", TABLET)


def told_of_two() -> Room:
    """The same; Bob is a host, too."""
    return admitted("told of two", TABLET, hosts=(ALICE.account_key, BOB.account_key))


def only_host() -> Room:
    """The tablet is in without her laptop; Bob is no host."""
    return admitted("only host", TABLET, seats={0: BOB, 1: CAROL, 2: TABLET})


def viewer() -> Room:
    """Carol is in, and only Bob may speak beside hosts."""
    return meeting("viewer", profile=profile_of_group(speakers=(BOB.account_key,)))


def crowd(*, speaks: bool) -> Room:
    """33 members; Carol may speak, or only Bob."""
    seats = {0: ALICE, 1: BOB, 2: CAROL}
    seats |= {leaf: Actor(f"guest {leaf}", attested=False) for leaf in range(3, 33)}
    speakers = (BOB.account_key, *([CAROL.account_key] if speaks else []))
    name = "crowd" if speaks else "crowd of viewers"
    profile = profile_of_group(speakers=speakers)
    return meeting(name, seats=seats, profile=profile, acting=(0, 1))


def hybrid() -> Room:
    """Carol is let in in the hybrid suite."""
    return meeting(
        "hybrid",
        HYBRID_CAROL,
        seats={0: HYBRID_ALICE, 1: Actor("bob", 7, suites=BOTH), 2: HYBRID_CAROL},
        suite=HYBRID,
    )


def added(room: Room) -> messages.Added:
    """The Welcome as it comes."""
    return messages.Added(CALL_ID, room.welcome(2), 0)


def _asking(
    comment: str,
    actor: Actor,
    bundles: Sequence[KeyPackageBundle],
    *,
    secret: bytes | None = LINK_OF_CALL.secret,
    hosts: Sequence[bytes] = (),
    before: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    asking = {
        "call_id": CALL_ID,
        "secret": secret,
        "hosts": list(hosts),
        "asked_with": [bundle_document(bundle) for bundle in bundles],
    }
    return state_document(comment, actor, before=before, asking=asking)


def _member(comment: str, room: Room, **how: Any) -> dict[str, Any]:
    """Who was added already."""
    before = [received(0, added(room)), {"at": 2_000}]
    return _asking(comment, room.people[2], [room.own_bundle], before=before, **how)


TOLD: Mapping[str, Any] = {"secret": None, "hosts": [ALICE.account_key]}

STATES: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    "joiner": lambda: _asking(
        "Carol's device, which has asked with one KeyPackage to be let into a call of which it has the link.",
        CAROL,
        [meeting().own_bundle],
    ),
    "told-joiner": lambda: _asking(
        "The same without a link's secret: it was told that Alice is a host.",
        CAROL,
        [admitted().own_bundle],
        **TOLD,
    ),
    "hybrid-joiner": lambda: _asking(
        "As joiner, of a device that has both suites and has asked with a KeyPackage of the hybrid one.",
        HYBRID_CAROL,
        [hybrid().own_bundle],
    ),
    "member": lambda: _member(
        "Carol's device (leaf 2), which was added in epoch 5 of a call with a link: Alice is a host at leaf 0, Bob is leaf 1.",
        meeting(),
    ),
    "told-member": lambda: _member(
        "As member, of a call without a link, of which it was told that Alice is a host.",
        admitted(),
        **TOLD,
    ),
    "viewer": lambda: _member(
        "As member, of a call in which only Bob may speak beside hosts.", viewer()
    ),
    "crowd": lambda: _member(
        "As member, of a call of 33, in which Carol and Bob may speak.", crowd(speaks=True)
    ),
    "crowd-of-viewers": lambda: _member("The same; Carol may not speak.", crowd(speaks=False)),
    "host": lambda: _member("As member, of Alice's tablet, which is a host's.", host()),
    "lobby-host": lambda: _member(
        "As host, of a call without a link: hosts admit. It was told that Alice is a host, and has not heard her laptop.",
        lobby_host(),
        **TOLD,
    ),
    "host-told-of-two": lambda: _member(
        "As lobby-host; Bob is a host, too, and it was told of both.",
        told_of_two(),
        secret=None,
        hosts=[ALICE.account_key, BOB.account_key],
    ),
    "only-host": lambda: _member(
        "As lobby-host, of a call in which Alice's tablet is alone as a host: Bob is leaf 0, Carol leaf 1.",
        only_host(),
        **TOLD,
    ),
    "nobody": lambda: state_document("Alice's laptop, which is in no call.", ALICE),
}
