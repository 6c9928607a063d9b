"""Requests of accounts and devices: hello, register, login, renew (DS-1, DS-8, DS-13).

A device is what the newest certificate of its signature key says, whichever certificate it shows: so one that slept through
its renewal logs in and finds the new certificate in its mailbox.
"""

from __future__ import annotations

from dataclasses import replace

from e2ee.delivery import limits
from e2ee.delivery.admission import Applicant
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.handling import Handling, refusal
from e2ee.delivery.mailboxes import begin, deliver
from e2ee.delivery.presence import came, returned, went
from e2ee.delivery.transaction import Transaction
from e2ee.errors import RemoteProtocolError
from e2ee.identity.device_certificate import (
    Dates,
    VerifiedCertificate,
    check_dates,
    verify_certificate,
)
from e2ee.identity.errors import CertificateError
from e2ee.identity.login import verify_login, verify_register
from e2ee.signalling import messages
from e2ee.signalling.messages import ServiceMessage
from e2ee.signalling.versions import choose_version

__all__ = ["generation", "hello", "login", "register", "renew"]


def hello(at: Handling, request: messages.Hello) -> None:
    """The version, and a challenge."""
    version = choose_version(request.versions)
    nonce = at.service.entropy.random(32)
    at.service.sessions.challenge(at.connection_id, nonce)
    identity = at.service.identity
    at.answer(messages.Welcome(version, identity.server_name, nonce, identity.delivery_key.public))


def register(at: Handling, request: messages.Register) -> None:
    """Attest an account's key: the registered one, or one that is let in (DS-8)."""
    at.service.sessions.require_greeted(at.connection_id)
    account_id, account_key = request.account_id, request.account_key
    # IDENT-15: "MUST NOT attest an account key without the `Register` signature for its own server name"
    server_name = at.service.identity.server_name
    verify_register(server_name, account_id, account_key, request.signature)
    registered = at.tx.account_key(account_id)
    replaced: list[VerifiedCertificate] = []
    if registered != account_key:
        applicant = Applicant(account_id, account_key, registered, request.token, at.user)
        is_vouched_for = at.service.admission(at.tx, applicant, at.now)
        origin = at.service.sessions.origin(at.connection_id)
        # DS-7: "20 new accounts an hour for which nobody vouches"
        if origin and not is_vouched_for:
            at.service.spending.registrations.spend(origin, at.now)
        # DS-8: "the devices of the lost key, their KeyPackages and mailboxes MUST go with it"
        replaced = list(at.tx.devices(account_id))
        for device in replaced:
            at.tx.remove_device(device.signature_key)
        at.tx.put_account(account_id, account_key)
    attestation = at.service.identity.authority.attest(account_id, account_key, at.now)
    attested = messages.Attested(
        attestation.directory_key_id, attestation.attested_until, attestation.attestation
    )
    at.answer(attested)
    error = DeliveryError(DeliveryReason.ACCOUNT_REPLACED, "the account has another key now")
    for device in replaced:
        _log_out(at, device, error, request)


def login(at: Handling, request: messages.Login) -> None:
    """A device proves itself, and gets what its mailbox holds (IDENT-14, DS-9)."""
    sessions = at.service.sessions
    nonce = sessions.take_challenge(at.connection_id)
    # IDENT-14: "with the leaf signature key for which the certificate verifies (IDENT-3)"
    presented = verify_certificate(request.certificate, request.signature_key)
    server_name = at.service.identity.server_name
    key, client_nonce = presented.signature_key, request.client_nonce
    verify_login(server_name, key, nonce, client_nonce, request.signature)
    device = _newest(at.tx, presented)
    check_dates(device, at.now, Dates.RECEIVER)
    _check_account(at.tx, device)
    gone = _put(at, device)
    at.answer(messages.LoggedIn())
    _end_sessions(at, gone, request)
    was_connected = _make_place(at, device, request)
    sessions.log_in(at.connection_id, device)
    begin(at, device)
    if not was_connected:
        came(at, device.signature_key)
    returned(at, device.signature_key)


def renew(at: Handling, requester: VerifiedCertificate, request: messages.Renew) -> None:
    """The newest certificate of a device of the requester's account (IDENT-16, DS-13)."""
    device = verify_certificate(request.certificate, request.signature_key)
    check_dates(device, at.now, Dates.RECEIVER)
    same_account = device.account_id == requester.account_id
    # DS-13: "only for a device of the requester's account that it knows"
    if not same_account or device.account_key != requester.account_key:
        raise DeliveryError(DeliveryReason.WRONG_ACCOUNT_KEY, "not of the requester's account")
    known = at.tx.device(device.signature_key)
    if known is None or known.device_id != device.device_id:
        raise DeliveryError(DeliveryReason.UNKNOWN_DEVICE, f"device {device.device_id}")
    if _age(device) < _age(known):
        raise DeliveryError(DeliveryReason.NOT_NEWER, "a newer certificate is known")
    _check_account(at.tx, device)
    # DS-13: "One that says the same as the newest MUST change nothing": nobody has to hold the account key to alter the rest
    if device.certificate.statement == known.certificate.statement:
        at.answer(messages.Renewed(device.signature_key))
        return
    gone = _put(at, device)
    if device.signature_key != requester.signature_key:
        certificate = messages.Certificate(request.certificate)
        deliver(at, [(device.signature_key, certificate)])
    at.service.sessions.renew(device)
    at.answer(messages.Renewed(device.signature_key))
    _end_sessions(at, gone, request)


def generation(devices: list[VerifiedCertificate]) -> int:
    """The highest generation of an account's devices: devices of lower ones are revoked (IDENT-7, DS-1)."""
    return max((device.generation for device in devices), default=0)


def _newest(tx: Transaction, presented: VerifiedCertificate) -> VerifiedCertificate:
    """The newest certificate that there is for this signature key. Raises DeliveryError if it is another account's."""
    known = tx.device(presented.signature_key)
    if known is None:
        return presented
    if known.account_id != presented.account_id:
        raise DeliveryError(DeliveryReason.NOT_THIS_DEVICE, "a device of another account")
    return known if _age(known) > _age(presented) else presented


def _age(certificate: VerifiedCertificate) -> tuple[int, int]:
    """The larger, the newer."""
    return certificate.generation, certificate.certificate.statement.not_after


def _check_account(tx: Transaction, device: VerifiedCertificate) -> None:
    registered = tx.account_key(device.account_id)
    if registered is None:
        raise DeliveryError(DeliveryReason.UNKNOWN_ACCOUNT, "not registered")
    if registered != device.account_key:
        raise DeliveryError(DeliveryReason.WRONG_ACCOUNT_KEY, "not the registered one")
    # DS-1: "MUST NOT log in a device ... whose `generation` is lower than that of another device"
    if device.generation < generation(list(tx.devices(device.account_id))):
        raise DeliveryError(DeliveryReason.REVOKED, f"generation {device.generation}")


def _put(
    at: Handling, device: VerifiedCertificate
) -> list[tuple[VerifiedCertificate, DeliveryReason]]:
    """Keep a device's certificate. Gives the devices whose session this ends, and why. Raises DeliveryError."""
    devices = list(at.tx.devices(device.account_id))
    if device in devices:
        return []
    gone = [(each, DeliveryReason.SUPERSEDED) for each in devices if _has_its_place(each, device)]
    known = at.tx.device(device.signature_key)
    if known is None and not gone:
        gone = _made_room(at, devices)
    for each, _ in gone:
        at.tx.remove_device(each.signature_key)
    at.tx.put_device(device)
    # DS-2: "MUST NOT hand out those of a certificate that a new one replaces, unless it differs in its dates alone"
    if known is not None and not _differs_in_dates_alone(known, device):
        at.tx.withdraw(device.signature_key)
    # DS-1: "When a higher `generation` appears, the devices of lower ones MUST lose their sessions and KeyPackages"
    for each in devices:
        if each.generation < device.generation and each.signature_key != device.signature_key:
            at.tx.withdraw(each.signature_key)
            gone.append((each, DeliveryReason.REVOKED))
    return gone


def _has_its_place(other: VerifiedCertificate, device: VerifiedCertificate) -> bool:
    return other.device_id == device.device_id and other.signature_key != device.signature_key


def _made_room(
    at: Handling, devices: list[VerifiedCertificate]
) -> list[tuple[VerifiedCertificate, DeliveryReason]]:
    """Who goes so that one more device can come. Raises DeliveryError."""
    # DS-7: "64 devices"; "A device that is revoked or expired makes room for another one."
    if len(devices) < limits.MAX_DEVICES:
        return []
    newest = generation(devices)
    for each in sorted(devices, key=_age):
        if each.generation < newest or _is_over(each, at.now):
            return [(each, DeliveryReason.REVOKED)]
    raise DeliveryError(DeliveryReason.TOO_MANY_DEVICES, f"{len(devices)} others")


def _is_over(device: VerifiedCertificate, now: int) -> bool:
    try:
        check_dates(device, now, Dates.RECEIVER)
    except CertificateError:
        return True
    return False


def _differs_in_dates_alone(one: VerifiedCertificate, other: VerifiedCertificate) -> bool:
    undated = [replace(c.certificate.statement, not_before=0, not_after=0) for c in (one, other)]
    return undated[0] == undated[1]


def _make_place(at: Handling, device: VerifiedCertificate, request: ServiceMessage) -> bool:
    """End the device's other session, and another device's on this connection. Gives whether it was connected."""
    sessions = at.service.sessions
    before = sessions.connection_of(device.signature_key)
    if before == at.connection_id:
        return True
    left = sessions.log_out(at.connection_id)
    if left is not None:
        went(at, left.signature_key)
    if before is not None:
        sessions.log_out(before)
        error = DeliveryError(DeliveryReason.SUPERSEDED, "the device logged in elsewhere")
        at.send(before, refusal(error, request))
    return before is not None


def _end_sessions(
    at: Handling,
    gone: list[tuple[VerifiedCertificate, DeliveryReason]],
    request: ServiceMessage,
) -> None:
    for device, reason in gone:
        _log_out(at, device, DeliveryError(reason), request)


def _log_out(
    at: Handling, device: VerifiedCertificate, error: RemoteProtocolError, request: ServiceMessage
) -> None:
    """End a device's session, and say why."""
    connection_id = at.service.sessions.connection_of(device.signature_key)
    if connection_id is not None:
        at.service.sessions.log_out(connection_id)
        at.send(connection_id, refusal(error, request))
        went(at, device.signature_key)
