"""Attacks on what a certificate says: revoked and expired devices, hidden suites, and who may have one at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from e2ee.call import outgoing_invite
from e2ee.call.events import SuiteLowered
from e2ee.call.states import State
from e2ee.delivery import accounts, key_packages
from e2ee.identity.login import login_signature, register_signature
from e2ee.identity.trust import Trust
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, always, nothing, replaced
from e2ee.testing.hostile.forged_devices import encoded_key_package
from e2ee.testing.hostile.platform import HostilePlatform, honest
from e2ee.testing.hostile.trial import Trial
from e2ee.testing.simulated_calls import SERVER_NAME, SimulatedDevice

HYBRID = (0x0001, 0xF0E2)


@attack(
    by=Adversary.SERVICE,
    counters=("IDENT-7", "CALL-2"),
    without=replaced(Trust, observe=nothing),
)
def hand_out_a_revoked_device(trial: Trial) -> None:
    """Goes on handing out KeyPackages of a stolen device that its account has revoked.

    To callers who have seen a newer certificate of the account.
    """
    platform = HostilePlatform(trial)
    alice, phone, _ = (
        platform.device("alice"),
        platform.device("bob"),
        platform.device("bob", device_id=2),
    )
    stolen = platform.key_packages("bob")
    owner = phone.owner
    raised = phone.account.certify(
        owner.signing_key.public,
        device_id=1,
        now=platform.now,
        versions=SUPPORTED_VERSIONS,
        suites=(0x0001,),
        generation=1,
        attestation=owner.certificate.certificate.attestation,
    )
    newer = encoded_key_package(
        platform.forger("bob").owner(raised, owner.signing_key), platform.now
    )
    for what, packages in (("with the new phone", (*stolen, newer)), ("alone", stolen)):
        platform.hand_out(*packages)
        call = platform.ring(alice, phone)
        invited = [member.device_id for member in call.others()]
        outcome = f"device {invited[0]} invited" if invited else platform.why(alice)
        trial.tried(what, held=2 not in invited, outcome=outcome)
        platform.hang_up(alice)


@attack(
    by=Adversary.SERVICE,
    counters=("IDENT-5", "CALL-2"),
    without=replaced(outgoing_invite, check_dates=nothing),
)
def hand_out_an_expired_device(trial: Trial) -> None:
    """Hands out KeyPackages with certificates that have ended: of a device that its account has let go."""
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    attestation = bob.owner.certificate.certificate.attestation
    forger = replace(platform.forger("bob"), account=bob.account)
    for days in (29, 60, 365):
        old = forger.device(attestation=attestation, days_ago=days)
        platform.hand_out(encoded_key_package(old, platform.now))
        call = platform.ring(alice, bob)
        trial.tried(
            f"certified {days} days ago",
            held=call.state is State.ENDED,
            outcome=platform.why(alice),
        )


@attack(
    by=Adversary.SERVICE,
    counters=("KEYS-2",),
    without=replaced(outgoing_invite, check_group_suite=nothing),
)
def downgrade_the_suite(trial: Trial) -> None:
    """Hides that a callee has the hybrid post-quantum suite.

    By an older certificate of its device, and by keeping its better devices back.
    """
    platform = HostilePlatform(trial)
    alice, phone = platform.device("alice", suites=HYBRID), platform.device("bob", suites=HYBRID)
    old = phone.account.certify(
        phone.owner.signing_key.public,
        device_id=1,
        now=platform.now,
        versions=SUPPORTED_VERSIONS,
        suites=(1,),
    )

    def hide(_: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        if isinstance(message, messages.Devices):
            return (messages.Devices("bob", (old.encode(),)),)
        return (message,)

    platform.down = hide
    call = platform.ring(alice, phone)
    trial.tried("an older certificate", held=call.state is State.ENDED, outcome=platform.why(alice))
    platform.hang_up(alice)
    platform.down = honest
    platform.talk(alice, phone)
    platform.hang_up(alice)
    tablet = platform.device("bob", device_id=2)
    platform.down = lambda _, message: (_only_of(message, tablet),)
    platform.ring(alice, phone)
    warned = len(alice.told(SuiteLowered)) == 1
    trial.tried(
        "the better device kept back", held=warned, outcome="a warning" if warned else "nothing"
    )


def _only_of(message: FromService, device: SimulatedDevice) -> FromService:
    key = device.owner.signing_key.public
    if isinstance(message, messages.Devices):
        return messages.Devices(
            message.account_id, (device.owner.certificate.certificate.encode(),)
        )
    if isinstance(message, messages.KeyPackages):
        packages = tuple(p for p in message.key_packages if key in p)
        return messages.KeyPackages(message.account_id, packages)
    return message


@attack(
    by=Adversary.STRANGER,
    counters=("DS-8", "DS-1", "DS-2", "IDENT-14", "IDENT-15", "DS-13"),
    without=all_of(
        replaced(accounts, verify_login=nothing, _check_account=nothing),
        replaced(key_packages, leaf_certificate=always(None)),
    ),
)
def claim_somebodys_account(trial: Trial) -> None:
    """Registers, logs in and publishes in somebody else's name.

    Registers a name that is taken, logs in as a device without its key or with what it signed for another service,
    publishes its KeyPackages, renews its certificate.
    """
    platform = HostilePlatform(trial)
    bob, mallory = platform.device("bob"), platform.device("mallory")
    forger = platform.forger("bob")
    certificate = bob.owner.certificate.certificate

    def ask(what: str, connection: int, message: messages.ServiceMessage) -> None:
        _, answer = platform.service.receive(connection, message, platform.now)[0]
        held = isinstance(answer, messages.Refused)
        trial.tried(
            what,
            held=held,
            outcome=answer.reason if isinstance(answer, messages.Refused) else answer.name,
        )

    def greeted() -> tuple[int, bytes]:
        connection = platform.connect()
        welcome = platform.ask(connection, messages.Hello(SUPPORTED_VERSIONS))
        return connection, welcome.server_nonce if isinstance(welcome, messages.Welcome) else b""

    connection, _ = greeted()
    signature = register_signature(forger.account, SERVER_NAME)
    ask("registers as Bob", connection, messages.Register("bob", forger.account.public, signature))
    stolen = replace(messages.Register("bob", bob.account.public, signature))
    ask("registers Bob's key", connection, stolen)
    for what, key, name in (
        ("with another key", mallory.owner.signing_key, SERVER_NAME),
        ("with what Bob signed for another service", bob.owner.signing_key, "evil.example"),
    ):
        connection, nonce = greeted()
        proof = login_signature(key, name, nonce, bytes(32))
        login = messages.Login(certificate.encode(), bob.owner.signing_key.public, bytes(32), proof)
        ask(f"logs in as Bob {what}", connection, login)
    forged = forger.device()
    connection, nonce = greeted()
    proof = login_signature(forged.signing_key, SERVER_NAME, nonce, bytes(32))
    login = messages.Login(
        forged.certificate.certificate.encode(), forged.signing_key.public, bytes(32), proof
    )
    ask("logs in as a device of Bob's that it made", connection, login)
    published = messages.Publish((encoded_key_package(forged, platform.now),))
    ask("publishes Bob's KeyPackages", mallory.connection_id, published)
    renewed = messages.Renew(bob.owner.signing_key.public, certificate.encode())
    ask("renews Bob's device", mallory.connection_id, renewed)
