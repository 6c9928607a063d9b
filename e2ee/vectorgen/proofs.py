"""Vectors of the chapter Identity: attestations, proofs towards servers, safety numbers."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from e2ee.crypto.kdf import HKDF_SHA512
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.vectorgen.certificates import DAY, NO_ATTESTATION, NOW, Device, label, opaque16
from e2ee.vectorgen.models import digits, u16, u64
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUPS"]

attestations = Group(
    "attestation",
    "Does the attestation in a valid identity count at the time now (Unix milliseconds), for a client that was shipped"
    " with directory_keys (by directory_key_id)?",
)
logins = Group("login", "A device's proof to a service: Ed25519 signatures are deterministic.")
registrations = Group("register", "An account's consent that a directory attests its key.")
challenges = Group(
    "challenge",
    "May a device that connected to the server connected_to sign a Login for one that announces itself as server_name?",
)
login_proofs = Group(
    "login-proof",
    "Does this Login signature prove to the service server_name, which gave server_nonce, that the device has leaf_signature_key?",
)
register_proofs = Group(
    "register-proof",
    "May the directory of server_name attest account_key for account_id, by this Register signature?",
)
safety_numbers = Group(
    "safety-number", "Two accounts -> 60 digits; accounts may come in either order."
)


@attestations.vector(
    "IDENT-4",
    each={
        "by-the-current-key": (DAY, True),
        "for-30-days": (30 * DAY, True),
        "for-30-days-and-a-second": (30 * DAY + 1, False),
        "to-its-last-second": (0, True),
        "to-its-last-millisecond": (0, True, 999),
        "that-is-past": (-1, False),
    },
)
def attestation(case: Case, ends: tuple[Any, ...]) -> None:
    """attested_until against the clock: not past, and at most 30 days ahead, in whole seconds."""
    seconds, counts, *milliseconds = ends
    device = Device(case)
    checked(device, device.attested(NOW + seconds), counts=counts)
    case.input["now"] += sum(milliseconds)


@attestations.vector("IDENT-4")
def attestation_by_the_next_key(case: Case) -> None:
    """A client is shipped with the directory's current and next key."""
    device = Device(case)
    keys = {
        6: ED25519.generate(case.entropy.fork(b"last year's")).public,
        7: device.directory.public,
    }
    checked(device, device.attested(NOW + DAY), keys, counts=True)


@attestations.vector(
    "IDENT-4", each={"unknown-id": {8: 0}, "another-key-of-this-id": {7: 0}, "no-keys": {}}
)
def attestation_for_a_client_with(case: Case, key_ids: dict[int, int]) -> None:
    """The key that signed is not the one that the client has under this id: as good as no attestation."""
    device = Device(case)
    stranger = ED25519.generate(case.entropy.fork(b"stranger")).public
    checked(device, device.attested(NOW + DAY), dict.fromkeys(key_ids, stranger), counts=False)


@attestations.vector("IDENT-4")
def attestation_of_another_account_id(case: Case) -> None:
    """The directory's word about somebody else."""
    device = Device(case)
    checked(device, device.attested(NOW + DAY, account_id=b"alicf"), counts=False)


@attestations.vector("IDENT-4")
def attestation_of_another_account_key(case: Case) -> None:
    """The directory says that Alice has another key: Mallory calls himself Alice."""
    device = Device(case)
    other = ED25519.generate(case.entropy.fork(b"the real alice")).public
    checked(device, device.attested(NOW + DAY, key=other), counts=False)


@attestations.vector("IDENT-4")
def attestation_prolonged(case: Case) -> None:
    """attested_until was changed after signing."""
    device = Device(case)
    attested = device.attested(NOW - DAY)
    checked(device, attested[:1] + u64(NOW + DAY) + attested[9:], counts=False)


@attestations.vector("IDENT-4")
def no_attestation(case: Case) -> None:
    """Zeros in all its fields: the certificate is valid, and nobody vouches for it."""
    device = Device(case)
    case.intermediate["attested"] = b""
    checked(device, NO_ATTESTATION, counts=False)


def checked(
    device: Device, attested: bytes, keys: dict[int, bytes] | None = None, *, counts: bool
) -> None:
    """Does ``attested`` count for a client with these keys?"""
    device.judged(device.signed(device.statement.encode()) + attested)
    shipped = {7: device.directory.public} if keys is None else keys
    device.case.input |= {"directory_keys": shipped, "now": NOW * 1000}
    device.case.output["counts"] = counts


@logins.vector("IDENT-14", "IDENT-13")
def login(case: Case) -> None:
    """The name of the server as the device knows it, the server's nonce, and a nonce of the device's own."""
    device = Device(case)
    server_nonce, client_nonce = case.entropy.random(32), case.entropy.random(32)
    signed = label("Login") + opaque16(b"calls.example") + server_nonce + client_nonce
    case.input |= {
        "signature_private_key": device.leaf.private,
        "server_name": "calls.example",
        "server_nonce": server_nonce,
        "client_nonce": client_nonce,
    }
    proof(case, device.leaf, signed)


@registrations.vector("IDENT-15", "IDENT-13", each={"ascii": "alice", "beyond-ascii": "漢字🦊"})
def register(case: Case, account_id: str) -> None:
    """The name of the server, and the account id in UTF-8."""
    device = Device(case)
    signed = label("Register") + opaque16(b"calls.example") + opaque16(account_id.encode())
    case.input |= {
        "account_private_key": device.account.private,
        "server_name": "calls.example",
        "account_id": account_id,
    }
    proof(case, device.account, signed)


class Refusal(StrEnum):
    """Why a proof is none."""

    WRONG_SERVER = "WRONG_SERVER"
    BAD_LOGIN_SIGNATURE = "BAD_LOGIN_SIGNATURE"
    BAD_REGISTER_SIGNATURE = "BAD_REGISTER_SIGNATURE"


@challenges.vector("IDENT-14")
def challenge_of_the_server(case: Case) -> None:
    """It is the one that the device connected to."""
    case.input |= {"connected_to": "calls.example", "server_name": "calls.example"}


@challenges.vector(
    "IDENT-14",
    reason=Refusal.WRONG_SERVER,
    each={
        "another-server": "calls.example.org",
        "the-same-in-capitals": "CALLS.EXAMPLE",
        "the-same-with-a-dot": "calls.example.",
        "no-server": "",
    },
)
def challenge_of(case: Case, name: str) -> None:
    """A server passes on the challenge of another, to log in there; names are compared byte by byte."""
    case.input |= {"connected_to": "calls.example", "server_name": name}


Changed = dict[str, Any]


def signed_login(case: Case, *, text: str = "Login", **changed: Any) -> None:
    """The case is about a right proof, of which the service knows something else."""
    device = Device(case)
    nonces = {"server_nonce": case.entropy.random(32), "client_nonce": case.entropy.random(32)}
    head = label(text) + opaque16(b"calls.example")
    signed = head + nonces["server_nonce"] + nonces["client_nonce"]
    case.intermediate["signed"] = signed
    case.input |= {
        "leaf_signature_key": device.leaf.public,
        "server_name": "calls.example",
        **nonces,
        "signature": ED25519.sign(device.leaf.private, signed),
        **changed,
    }


@login_proofs.vector("IDENT-14")
def login_proof_of_the_device(case: Case) -> None:
    """By the key for which its certificate verifies."""
    signed_login(case)


@login_proofs.vector(
    "IDENT-14",
    reason=Refusal.BAD_LOGIN_SIGNATURE,
    each={
        "another-server": {"server_name": "calls.example.org"},
        "another-nonce-of-the-server": {"server_nonce": bytes(32)},
        "another-nonce-of-the-device": {"client_nonce": bytes(32)},
    },
)
def login_proof_for(case: Case, changed: Changed) -> None:
    """It was made for something else."""
    signed_login(case, **changed)


@login_proofs.vector("IDENT-14", reason=Refusal.BAD_LOGIN_SIGNATURE)
def login_proof_of_another_device(case: Case) -> None:
    """The holder of another key signed."""
    signed_login(case, leaf_signature_key=ED25519.generate(case.entropy.fork(b"other")).public)


@login_proofs.vector("IDENT-13", "IDENT-14", reason=Refusal.BAD_LOGIN_SIGNATURE)
def login_proof_under_another_label(case: Case) -> None:
    """What was signed for another purpose proves nothing here."""
    signed_login(case, text="Register")


def signed_consent(case: Case, *, text: str = "Register", **changed: Any) -> None:
    """The case is about a right consent, of which the directory is asked something else."""
    device = Device(case)
    signed = label(text) + opaque16(b"calls.example") + opaque16(b"alice")
    case.intermediate["signed"] = signed
    case.input |= {
        "account_key": device.account.public,
        "account_id": "alice",
        "server_name": "calls.example",
        "signature": ED25519.sign(device.account.private, signed),
        **changed,
    }


@register_proofs.vector("IDENT-15")
def register_proof_of_the_account(case: Case) -> None:
    """By the account key itself."""
    signed_consent(case)


@register_proofs.vector(
    "IDENT-15",
    reason=Refusal.BAD_REGISTER_SIGNATURE,
    each={
        "another-server": {"server_name": "calls.example.org"},
        "another-account-id": {"account_id": "alicf"},
    },
)
def register_proof_for(case: Case, changed: Changed) -> None:
    """The account agreed to something else."""
    signed_consent(case, **changed)


@register_proofs.vector("IDENT-15", reason=Refusal.BAD_REGISTER_SIGNATURE)
def register_proof_of_another_key(case: Case) -> None:
    """Mallory wants the directory's word that his key is Alice's."""
    signed_consent(case, account_key=ED25519.generate(case.entropy.fork(b"mallory")).public)


@register_proofs.vector("IDENT-13", "IDENT-15", reason=Refusal.BAD_REGISTER_SIGNATURE)
def register_proof_under_another_label(case: Case) -> None:
    """What the account signed for another purpose is no consent."""
    signed_consent(case, text="Device")


def proof(case: Case, key: SigningKey, signed: bytes) -> None:
    """What is signed, and the signature with its public key."""
    case.intermediate["signed"] = signed
    case.output |= {"public_key": key.public, "signature": ED25519.sign(key.private, signed)}


@safety_numbers.vector(
    "IDENT-12", each={"alice-and-bob": ("alice", "bob"), "beyond-ascii": ("漢字", "🦊")}
)
def safety_number(case: Case, account_ids: tuple[str, str]) -> None:
    """5,200 rounds of SHA-512 a half; the smaller half comes first."""
    accounts = [(account_id, case.entropy.random(32)) for account_id in account_ids]
    halves = [half(case, *account) for account in accounts]
    case.input["accounts"] = [
        {"account_id": account_id, "account_key": account_key}
        for account_id, account_key in accounts
    ]
    case.output["safety_number"] = "".join(sorted(halves))


def half(case: Case, account_id: str, account_key: bytes) -> str:
    """IDENT-12."""
    hashed = first = HKDF_SHA512.hash(u16(1) + account_key + account_id.encode())
    for _ in range(5200):
        hashed = HKDF_SHA512.hash(hashed + account_key)
    number = digits(hashed[:30])
    steps = {"first_hash": first, "last_hash": hashed, "half": number}
    case.intermediate.setdefault("halves", []).append(steps)
    return number


GROUPS = (
    *(attestations, logins, challenges, login_proofs, registrations, register_proofs),
    safety_numbers,
)
