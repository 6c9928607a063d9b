"""Devices that were never registered: certificates and KeyPackages as an adversary makes them who has keys of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from e2ee.call.configuration import Configuration
from e2ee.call.owner import Owner
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import NO_ATTESTATION, DirectoryKeys
from e2ee.identity.device_certificate import (
    Attestation,
    DeviceCertificate,
    VerifiedCertificate,
)
from e2ee.identity.trust import MemoryTrustStore, Trust
from e2ee.mls.extension import Extension
from e2ee.mls.group import Group
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add
from e2ee.profile import authentication
from e2ee.profile.leaves import committer_policy
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.signalling.wire import encode
from e2ee.testing.hostile.defences import nothing, replaced

__all__ = ["Forger", "MadeUpInvitation", "encoded_key_package"]

CLASSICAL = (0x0001,)


@dataclass(frozen=True)
class Forger:
    """Makes devices of an account whose key the adversary made itself, at a simulated time."""

    account: AccountKey
    entropy: Entropy
    now: int
    delivery_key: bytes

    def device(
        self,
        *,
        device_id: int = 1,
        attestation: Attestation = NO_ATTESTATION,
        suites: Sequence[int] = CLASSICAL,
        generation: int = 0,
        days_ago: int = 0,
    ) -> Owner:
        """A device of this account, with this attestation, certified so many days ago."""
        signing_key = ED25519.generate(self.entropy)
        certificate = self.account.certify(
            signing_key.public,
            device_id=device_id,
            now=self.now - days_ago * 24 * 3600 * 1000,
            versions=SUPPORTED_VERSIONS,
            suites=suites,
            generation=generation,
            attestation=attestation,
        )
        return self.owner(certificate, signing_key)

    def owner(self, certificate: DeviceCertificate, signing_key: SigningKey) -> Owner:
        """The holder of a key who shows a certificate, whoever it was made for."""
        shown = VerifiedCertificate(
            certificate, signing_key.public, certificate.statement.account_id.decode()
        )
        return Owner(
            certificate=shown,
            signing_key=signing_key,
            trust=Trust(MemoryTrustStore(), DirectoryKeys({})),
            configuration=Configuration(),
            delivery_key=self.delivery_key,
            entropy=self.entropy,
        )


def encoded_key_package(owner: Owner, now: int, suite: int = 0x0001) -> bytes:
    """A KeyPackage of a device, as a directory gives it."""
    return MLSMessage.of(owner.new_key_package(suite, now).key_package).encode()


@dataclass(frozen=True)
class MadeUpInvitation:
    """An invitation made by hand. It keeps no rule that is not named here."""

    caller: Owner
    callee: KeyPackage
    now: int
    extensions: tuple[Extension, ...]
    """Of the group: the call's profile, whatever it says."""
    call_id: bytes = b"sixteen byte id."
    group_id: bytes = b"sixteen byte id."
    epochs_before: int = 0
    """How many epochs there were before the one that adds the callee."""
    others: Sequence[KeyPackage] = ()
    """Who is added with the callee."""
    said_before: int = 0
    """How many messages the caller said before the offer."""
    offer: CallMessage | None = None
    """What it says as its offer; that of a call between two if None."""

    def invited(self) -> messages.Invited:
        """The message, as the service would deliver it."""
        with replaced(authentication.DeviceAuthentication, check=nothing)():
            return self._invited()

    def _invited(self) -> messages.Invited:
        entropy, policy = self.caller.entropy, committer_policy(self.now)
        group = Group.create(
            self.caller.new_key_package(self.callee.cipher_suite, self.now),
            group_id=self.group_id,
            extensions=self.extensions,
            policy=policy,
            entropy=entropy,
        )
        for _ in range(self.epochs_before):
            group = group.merge(group.commit(policy=policy, entropy=entropy).staged)
        adds = [Add(key_package) for key_package in (self.callee, *self.others)]
        pending = group.commit(proposals=adds, policy=policy, entropy=entropy)
        group = group.merge(pending.staged)
        if pending.welcome is None:
            raise ValueError("nobody was added")
        offer = encode(self.offer or messages.Offer(self.now, "video"))
        for _ in range(self.said_before):
            group.protect(offer, entropy=entropy)
        sealed = group.protect(offer, entropy=entropy)
        return messages.Invited(self.call_id, pending.welcome.encode(), sealed.encode())
