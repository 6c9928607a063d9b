"""KeyPackages that a call cannot use: one among others when a call is placed, and the one of who asks to join.

Cases of the groups `placing` (chapter Calls) and `hosting` (chapter Group calls). One odd device must not keep the others from
ringing: who added it would make a commit that everybody refuses.
"""

from __future__ import annotations

from typing import Any

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.message import MLSMessage
from e2ee.signalling import messages
from e2ee.vectorgen.call_profiles import CLOSED
from e2ee.vectorgen.call_scripts import hosting, placing
from e2ee.vectorgen.call_scripts.group_states import CALL_ID, DAVE, LINK_OF_CALL
from e2ee.vectorgen.call_scripts.people import SUITE, Actor, entropy
from e2ee.vectorgen.call_scripts.refusals import Refusal
from e2ee.vectorgen.call_scripts.ringing import S, contact
from e2ee.vectorgen.call_scripts.states import LAPTOP, PHONE
from e2ee.vectorgen.certificates import DAY, NOW
from e2ee.vectorgen.people import CALL_PROFILE
from e2ee.vectorgen.registry import Case

__all__: list[str] = []


def bundle(actor: Actor, keys_of: Actor, *extension_types: int) -> KeyPackageBundle:
    """A KeyPackage of ``actor`` with the encryption keys of another's, which lists these extensions."""
    return KeyPackageBundle.generate(
        cipher_suite(SUITE),
        actor.leaf,
        Credential.basic(actor.certificate),
        Capabilities(
            (ProtocolVersion.MLS10,), actor.suites, extension_types, (), (CredentialType.BASIC,)
        ),
        Lifetime(NOW - 3600, NOW + 28 * DAY),
        entropy("key package", keys_of.account_id, f"{keys_of.device_id}", f"{SUITE}", "d"),
    )


def spoilt(made: KeyPackageBundle) -> bytes:
    """Its signature, the last bytes, is not the device's."""
    encoded = MLSMessage.of(made.key_package).encode()
    return encoded[:-1] + bytes([encoded[-1] ^ 1])


# --------------------------------------------------------------------- among others, in a call of two


def rings_the_phone(case: Case, other: bytes | KeyPackageBundle, **how: Any) -> None:
    """The phone is called; the other device is left out, and nothing else becomes of it."""
    script = placing.claimed(case, **how)
    phone = PHONE.bundle("d")
    encoded = other if isinstance(other, bytes) else MLSMessage.of(other.key_package).encode()
    both = messages.KeyPackages("bob", (MLSMessage.of(phone.key_package).encode(), encoded))
    script.receive(3 * S, both, sent=["commit", "open"], calls=["inviting"])
    script.own_commit(4 * S, calls=["calling"])
    script.done()


@placing.GROUP.vector("CALL-2", "KEYS-8")
def call_without_a_key_package_that_its_device_did_not_sign(case: Case) -> None:
    """The laptop's, changed on the way."""
    rings_the_phone(case, spoilt(LAPTOP.bundle("d")))


@placing.GROUP.vector("CALL-2", "KEYS-8")
def call_without_a_key_package_that_is_over(case: Case) -> None:
    """The laptop's lifetime has ended."""
    rings_the_phone(case, LAPTOP.bundle("d", lifetime=Lifetime(NOW - 9 * DAY, NOW - 1)))


@placing.GROUP.vector("CALL-2", "IDENT-5")
def call_without_a_device_whose_certificate_is_over(case: Case) -> None:
    """The laptop's dates have passed; its KeyPackage's have not."""
    old = Actor("bob", 2, not_before=NOW - 9 * DAY, not_after=NOW - 1)
    rings_the_phone(case, old.bundle("d"))


@placing.GROUP.vector("CALL-2", "KEYS-8")
def call_without_a_device_that_knows_no_call_profile(case: Case) -> None:
    """The laptop's leaf does not list the extension."""
    rings_the_phone(case, bundle(LAPTOP, LAPTOP))


@placing.GROUP.vector("CALL-2", "IDENT-11")
def call_one_of_two_devices_with_one_device_id(case: Case) -> None:
    """Two certificates of one account for device 1: the first is added."""
    rings_the_phone(case, Actor("bob", 1, copy="other").bundle("d"))


@placing.GROUP.vector("CALL-2", "IDENT-11")
def call_one_of_two_devices_with_one_leaf_key(case: Case) -> None:
    """Two certificates for one signature key."""
    rings_the_phone(case, Actor("bob", 5, leaf=PHONE.leaf).bundle("d"))


@placing.GROUP.vector("CALL-2", "IDENT-11")
def call_one_of_two_devices_with_one_encryption_key(case: Case) -> None:
    """The laptop's leaf has the phone's encryption_key."""
    rings_the_phone(case, bundle(LAPTOP, PHONE, CALL_PROFILE))


@placing.GROUP.vector("CALL-2", "IDENT-11")
def call_one_of_two_account_keys(case: Case) -> None:
    """Two attested keys for one account id that nobody knows yet: the first is called, and they are never in one group."""
    rings_the_phone(case, Actor("bob", 5, key="another bob").bundle("d"))


# --------------------------------------------------------------------- of who asks to join


@hosting.GROUP.vector("GROUP-9", "IDENT-4", reason=Refusal.NOT_ATTESTED)
def request_of_a_contact_whom_nobody_vouches_for(case: Case) -> None:
    """Dave's key is pinned here, and not everywhere: who joins needs an attestation of now."""
    script, _ = hosting.member(case, contacts=[contact(DAVE)])
    alone = Actor("dave", attested=False)
    script.refuses(3 * S, hosting.asks(alone.joining(CALL_ID, LINK_OF_CALL, case.id)))


@hosting.GROUP.vector("GROUP-9", "KEYS-20", reason=Refusal.NOT_ADMITTED)
def request_in_a_closed_call(case: Case) -> None:
    """Dave is not listed, and there is no lobby."""
    script, room = hosting.member(case)
    closed = room.commit(0, room.change(join_policy=CLOSED, link_id=b""))
    script.receive(3 * S, closed, told=[room.report()], sent=["alive"])
    script.refuses(5 * S, hosting.asks(DAVE.joining(CALL_ID, None, case.id)))


@hosting.GROUP.vector("GROUP-9", "KEYS-8", reason=Refusal.KEY_PACKAGE_SIGNATURE)
def request_that_its_device_did_not_sign(case: Case) -> None:
    """Its KeyPackage was changed on the way."""
    script, _ = hosting.member(case)
    encoded = spoilt(DAVE.joining(CALL_ID, LINK_OF_CALL, case.id))
    script.refuses(3 * S, messages.JoinRequested(CALL_ID, encoded, 1, lobby=False))


@hosting.GROUP.vector("GROUP-9", "KEYS-8", reason=Refusal.LEAF_EXPIRED)
def request_whose_key_package_is_over(case: Case) -> None:
    """Its lifetime has ended; its `join` is of now."""
    script, _ = hosting.member(case)
    old = DAVE.joining(CALL_ID, LINK_OF_CALL, case.id, lifetime=Lifetime(NOW - 9 * DAY, NOW - 1))
    script.refuses(3 * S, hosting.asks(old, rank=1))


@hosting.GROUP.vector("GROUP-9", "IDENT-5", reason=Refusal.EXPIRED)
def request_of_a_device_whose_certificate_is_over(case: Case) -> None:
    """Who commits has no tolerance."""
    script, _ = hosting.member(case)
    old = Actor("dave", 2, not_before=NOW - 9 * DAY, not_after=NOW - 1)
    script.refuses(3 * S, hosting.asks(old.joining(CALL_ID, LINK_OF_CALL, case.id), rank=1))
