"""Attacks by accounts of the same platform whom the victim does not know, or knows too well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from e2ee.call import incoming_invite
from e2ee.call.events import Missed, Ringing
from e2ee.call.owner import Owner
from e2ee.call.states import State
from e2ee.delivery.rates import Rates
from e2ee.identity.trust import Trust
from e2ee.mls.extension import Extension
from e2ee.mls.group import Group
from e2ee.profile.call_profile import group_extensions, one_to_one
from e2ee.profile.roster import Roster, roster
from e2ee.signalling import messages
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, no, nothing, replaced
from e2ee.testing.hostile.forged_devices import MadeUpInvitation
from e2ee.testing.hostile.platform import HostilePlatform
from e2ee.testing.hostile.trial import Trial
from e2ee.testing.simulated_calls import SimulatedDevice


@attack(
    by=Adversary.STRANGER,
    counters=("CALL-22", "CALL-5"),
    without=replaced(Trust, is_blocked=no),
)
def ring_though_blocked(trial: Trial) -> None:
    """Calls somebody who has blocked it, or who lets only known people ring: to see whether anybody is there."""
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    carol = platform.device("carol", may_ring=lambda certificate: certificate.account_id == "bob")
    bob.core.trust.block("alice")
    for callee in (bob, carol):
        said = len(callee.outbox)
        call = platform.ring(alice, callee)
        silent = not callee.told(Ringing) and len(callee.outbox) == said and not callee.told(Missed)
        held = silent and call.state is State.CALLING
        trial.tried(callee.account.account_id, held=held, outcome="no answer" if held else "seen")
        platform.hang_up(alice)


@attack(
    by=Adversary.STRANGER,
    counters=("DS-12", "CALL-18", "DS-2"),
    without=replaced(Rates, spend=nothing),
)
def flood_of_rings(trial: Trial) -> None:
    """Calls one and the same person forty times in four seconds.

    Which would use up that person's KeyPackages and patience.
    """
    platform = HostilePlatform(trial)
    mallory, bob, carol = (platform.device(name) for name in ("mallory", "bob", "carol"))
    for number in range(40):
        call = platform.ring(mallory, bob)
        got_through = call.state is not State.ENDED or platform.ended(mallory) in {
            "busy",
            "cancelled",
        }
        trial.tried(
            f"call {number}", held=not got_through or number < 11, outcome=platform.why(mallory)
        )
        platform.hang_up(mallory)
        platform.now += 100
    trial.claim("at most eleven rang", len(bob.told(Ringing)) <= 11)
    trial.claim("Carol still gets through", platform.ring(carol, bob).state is State.CALLING)


def _roster_alone(_owner: Owner, group: Group, _call_id: bytes) -> Roster:
    return roster(group.tree)


@attack(
    by=Adversary.STRANGER,
    counters=(
        "CALL-1",
        "CALL-3",
        "CALL-4",
        "CALL-5",
        "KEYS-6",
        "KEYS-9",
        "KEYS-10",
        "IDENT-3",
        "IDENT-9",
        "KEYS-2",
    ),
    without=all_of(
        replaced(incoming_invite, _check_group=_roster_alone),
        replaced(Trust, _require_attestation=nothing),
    ),
)
def make_an_invitation_up(trial: Trial) -> None:
    """With the service's help, rings with invitations that no honest device makes.

    As somebody else, with somebody else's certificate, in a group of more people, of a later epoch, for another
    account, with another profile.
    """
    platform = HostilePlatform(trial)
    alice, bob, mallory = (
        platform.device("alice"),
        platform.device("bob"),
        platform.device("mallory"),
    )
    carol = platform.device("carol")
    alice_certificate = alice.owner.certificate.certificate
    stranger = mallory.owner
    forged_alice = platform.forger("alice").device()
    with_her_certificate = platform.forger("alice").owner(alice_certificate, stranger.signing_key)
    honest = _made_up(platform, stranger, bob)
    carols = carol.owner.new_key_package(0x0001, platform.now).key_package
    bad = {
        "as an Alice of its own, whom nobody attests": _made_up(platform, forged_alice, bob),
        "with Alice's certificate on its own key": _made_up(platform, with_her_certificate, bob),
        "in Alice's name in the profile": replace(honest, extensions=_profile(bob, alice.owner)),
        "for another callee in the profile": replace(honest, extensions=_profile(carol, stranger)),
        "with a third person": replace(honest, others=(carols,)),
        "of a later epoch": replace(honest, epochs_before=1),
        "of another call": replace(honest, call_id=bytes(16)),
        "not with the first message": replace(honest, said_before=1),
        "an hour old": replace(honest, now=platform.now - 3_600_000),
        "as a group call": replace(honest, extensions=_profile(bob, stranger, kind=2)),
        "with a host": replace(honest, extensions=_profile(bob, stranger, hosts=(bytes(32),))),
        "with other bits of the KID": replace(honest, extensions=_profile(bob, stranger, S=9)),
        "of another version": replace(honest, extensions=_profile(bob, stranger, version=0x0101)),
    }
    for what, invitation in bad.items():
        platform.tries(bob, f"an invitation {what}", invitation.invited())
    trial.claim("nothing rang", not bob.told(Ringing))
    platform.give(bob, honest.invited())
    trial.claim("an honest one rings", len(bob.told(Ringing)) == 1)


def _made_up(platform: HostilePlatform, caller: Owner, callee: SimulatedDevice) -> MadeUpInvitation:
    bundle = next(iter(callee.core._key_packages._bundles.values()))
    return MadeUpInvitation(caller, bundle.key_package, platform.now, _profile(callee, caller))


def _profile(callee: SimulatedDevice, caller: Owner, **changes: Any) -> tuple[Extension, ...]:
    profile = one_to_one(caller.certificate.account_key, callee.account.public, caller.delivery_key)
    return group_extensions(replace(profile, **changes))


@attack(
    by=Adversary.STRANGER,
    counters=("DS-7", "DS-14"),
    without=replaced(Rates, spend=nothing),
)
def flood_of_letters(trial: Trial) -> None:
    """Leaves letters for somebody by the dozen, and for KeyPackages that nobody has."""
    platform = HostilePlatform(trial)
    mallory, bob = platform.device("mallory"), platform.device("bob")
    answer = platform.ask(mallory.connection_id, messages.Claim("bob", 0x0001))
    if not isinstance(answer, messages.KeyPackages):
        return
    key = _letter_key(bob)
    for number in range(30):
        post = messages.Post((key,), bytes(1_024))
        _, said = platform.service.receive(mallory.connection_id, post, platform.now)[-1]
        reason = said.reason if isinstance(said, messages.Refused) else said.name
        trial.tried(
            f"letter {number}",
            held=number < 10 or isinstance(said, messages.Refused),
            outcome=reason,
        )
    unknown = messages.Post((bytes([32]) + bytes(32),), bytes(1_024))
    platform.now += 60_000
    _, said = platform.service.receive(mallory.connection_id, unknown, platform.now)[-1]
    trial.tried(
        "for nobody",
        held=isinstance(said, messages.Refused),
        outcome=getattr(said, "reason", said.name),
    )


def _letter_key(device: SimulatedDevice) -> bytes:
    """What a sealed key begins with: a KeyPackageRef of this device."""
    ref = next(iter(device.core._key_packages._bundles))
    return bytes([len(ref)]) + ref + bytes(100)
