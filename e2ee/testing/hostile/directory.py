"""Attacks by a directory that lies about who has which keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from e2ee.call import epochs, key_packages, outgoing_invite
from e2ee.call.errors import CallUsageError
from e2ee.call.events import CallEvent, IdentityChanged, Ringing
from e2ee.call.key_packages import KeyPackages
from e2ee.call.spoken_code import CodeReady
from e2ee.call.states import State
from e2ee.crypto.signature import ED25519
from e2ee.identity.attestation import NO_ATTESTATION
from e2ee.identity.trust import ContactState, Trust
from e2ee.signalling import messages
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, always, nothing, replaced
from e2ee.testing.hostile.forged_devices import encoded_key_package
from e2ee.testing.hostile.platform import HostilePlatform, honest
from e2ee.testing.hostile.trial import Trial, outcome_of
from e2ee.testing.simulated_calls import SimulatedDevice

DAY = 24 * 3600 * 1000


@attack(
    by=Adversary.SERVICE,
    counters=("IDENT-3", "IDENT-4", "IDENT-9", "CALL-2"),
    without=replaced(Trust, _require_attestation=nothing),
)
def swap_key_packages(trial: Trial) -> None:
    """Answers a claim with KeyPackages of the adversary's own.

    Without an attestation; with one of another directory, of another account, too old, or for too long; with the
    callee's certificate on another key; of another account altogether.
    """
    platform, elsewhere = HostilePlatform(trial), HostilePlatform(trial, face="elsewhere")
    alice, bob, _ = (platform.device(name) for name in ("alice", "bob", "mallory"))
    forger = platform.forger("bob")
    authority = platform.identity.authority
    good = authority.attest("bob", forger.account.public, platform.now)
    stranger = ED25519.generate(trial.entropy)
    attestations = {
        "no attestation": NO_ATTESTATION,
        "another directory's": elsewhere.identity.authority.attest(
            "bob", forger.account.public, platform.now
        ),
        "an attestation of Mallory": authority.attest(
            "mallory", forger.account.public, platform.now
        ),
        "an attestation of Bob's true key": bob.owner.certificate.certificate.attestation,
        "one that has ended": authority.attest(
            "bob", forger.account.public, platform.now - 31 * DAY
        ),
        "one that lasts longer": replace(good, attested_until=good.attested_until + 40 * 24 * 3600),
        "an unknown directory key": replace(good, directory_key_id=9),
        "a changed signature": replace(
            good, attestation=bytes([good.attestation[0] ^ 1]) + good.attestation[1:]
        ),
    }
    swapped = {
        what: encoded_key_package(forger.device(attestation=attestation), platform.now)
        for what, attestation in attestations.items()
    }
    shown = forger.owner(bob.owner.certificate.certificate, stranger)
    swapped["Bob's certificate on another key"] = encoded_key_package(shown, platform.now)
    swapped["Mallory's own"] = platform.key_packages("mallory")[0]
    for what, key_package in swapped.items():
        platform.hand_out(key_package)
        call = platform.ring(alice, bob)
        trial.tried(what, held=call.state is State.ENDED, outcome=platform.why(alice))
    trial.claim("none of these keys is pinned", alice.core.trust.contact("bob").account_key is None)
    platform.down = honest
    platform.now += 60_000
    trial.claim("Bob himself is reached", platform.ring(alice, bob).state is State.CALLING)


@attack(
    by=Adversary.SERVICE,
    counters=("THREAT-3", "IDENT-12", "CALL-14", "VERIFY-5"),
    without=all_of(
        replaced(epochs, call_code=always("0" * 60)),
        replaced(epochs, export_sas_key=always(bytes(32))),
    ),
)
def machine_in_the_middle(trial: Trial) -> None:
    """Attests two false keys of people who never met, and stands between them.

    It answers each call as the other. That is all that it can do, and every number that the two compare shows it.
    """
    front = HostilePlatform(trial)
    behind = HostilePlatform(trial, front.identity, face="behind")
    alice, false_bob = front.device("alice"), front.device("bob")
    false_alice, bob = behind.device("alice"), behind.device("bob")
    at_alice, _ = front.talk(alice, false_bob)
    _, at_bob = behind.talk(false_alice, bob)
    trial.note("Alice and Bob each believe that they talk to the other")
    for platform in (front, behind):
        for device in platform.devices:
            device.call.begin_code(platform.now)
        platform.settle()
    pairs = {
        "safety number": (at_alice.safety_number, at_bob.safety_number),
        "call code": (at_alice.call_code, at_bob.call_code),
        "spoken code": (alice.last(CodeReady).code, bob.last(CodeReady).code),
        "spoken code, digits": (alice.last(CodeReady).code.digits, bob.last(CodeReady).code.digits),
    }
    for what, (one, other) in pairs.items():
        trial.tried(what, held=one != other, outcome="differs" if one != other else "the same")


@attack(
    by=Adversary.SERVICE,
    counters=("IDENT-10", "IDENT-18", "IDENT-8"),
    without=replaced(Trust, judge=always(ContactState.VERIFIED)),
)
def false_key_of_a_contact(trial: Trial) -> None:
    """Attests a false key of somebody whose key is known already, and calls and is called with it."""
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    alice.core.trust.mark_verified("bob", bob.account.public)
    behind = HostilePlatform(trial, platform.identity, face="behind")
    false_bob = behind.device("bob")
    platform.hand_out(*behind.key_packages("bob"))
    call = platform.ring(alice, bob)
    trial.tried("Alice calls", held=call.state is State.ENDED, outcome=platform.why(alice))
    trial.claim("Alice is told", len(alice.told(IdentityChanged)) == 1)
    platform.give(alice, _invitation_of(platform, behind, false_bob, alice))
    ringing = alice.told(Ringing)
    trial.claim(
        "what rings is shown as changed", all(r.contact is ContactState.CHANGED for r in ringing)
    )
    for rung in ringing:
        try:
            alice.core.calls[rung.call_id].answer(platform.now)
        except CallUsageError as error:
            trial.tried("Alice answers", held=True, outcome=error.reason)
        else:
            trial.tried("Alice answers", held=False)
    kept = alice.core.trust.contact("bob")
    trial.claim(
        "the verified key is still the true one",
        kept.verified and kept.account_key == bob.account.public,
    )


def _invitation_of(
    platform: HostilePlatform,
    behind: HostilePlatform,
    caller: SimulatedDevice,
    callee: SimulatedDevice,
) -> messages.Invited:
    """An invitation by a device of the other face, to a device of this one."""
    behind.device(callee.account.account_id)
    behind.hand_out(*platform.key_packages(callee.account.account_id))
    made: list[messages.Commit] = []

    def keep(_: SimulatedDevice, message: object) -> Iterable[object]:
        made.extend([message] if isinstance(message, messages.Commit) else [])
        return (message,)

    behind.up = keep  # type: ignore[assignment]
    behind.ring(caller, callee)
    (commit,) = made
    return messages.Invited(commit.call_id, commit.welcome or b"", commit.offer or b"")


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-5", "DS-2"),
    without=replaced(KeyPackages, drop=nothing),
)
def hand_a_key_package_out_twice(trial: Trial) -> None:
    """Gives one KeyPackage to two callers: the keys of the second call would be those that the first one used."""
    platform = HostilePlatform(trial)
    alice, bob, carol = (platform.device(name) for name in ("alice", "bob", "carol"))
    platform.hand_out(*platform.key_packages("bob"))
    platform.ring(alice, bob)
    platform.ring(carol, bob)
    rang = [each.caller.account_id for each in bob.told(Ringing)]
    told = rang + [type(e).__name__ for e in bob.told(CallEvent) if "carol" in repr(e)]
    trial.tried(
        "to Alice, then to Carol",
        held=told == ["alice"],
        outcome=outcome_of(bob.refused[-1] if bob.refused else None),
    )


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-2",),
    without=replaced(outgoing_invite, MAX_CALLEE_DEVICES=1 << 16),
)
def flood_with_key_packages(trial: Trial) -> None:
    """Answers a claim with KeyPackages of a hundred devices, all certified, among junk."""
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    attestation = bob.owner.certificate.certificate.attestation
    forger = replace(platform.forger("bob"), account=bob.account)
    many = [
        encoded_key_package(forger.device(device_id=n, attestation=attestation), platform.now)
        for n in range(2, 102)
    ]
    platform.hand_out(*(trial.entropy.random(300) for _ in range(20)), *many)
    invited = len(platform.ring(alice, bob).invited_certificates)
    trial.tried("120 answers", held=invited <= 63, outcome=f"{invited} invited")


@attack(
    by=Adversary.SERVICE,
    counters=("DS-2", "DS-9"),
    without=replaced(key_packages, _BELIEVED_EVERY=0),
)
def say_that_key_packages_are_gone(trial: Trial) -> None:
    """Says a hundred times in a minute that a device has no KeyPackages left, so that it makes more and more."""
    platform = HostilePlatform(trial)
    bob = platform.device("bob")
    held = len(bob.core._key_packages)
    published = 0
    for _ in range(100):
        platform.give(bob, messages.Published(0))
        published += len(platform.taken(bob, messages.Publish))
        platform.now += 500
    trial.tried("Published(0)", held=published <= 1, outcome=f"published {published} times")
    trial.claim("it keeps no more than twice as many", len(bob.core._key_packages) <= 2 * held)
