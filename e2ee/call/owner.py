"""Who owns the calls: one device's identity, and what all of its calls share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from e2ee.call.configuration import Configuration
from e2ee.call.group.link import GroupLink
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature import SigningKey
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.trust import Trust
from e2ee.media.frame_keys import FrameKeys
from e2ee.mls.credential import Credential
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import LAST_RESORT, sign_key_package
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.profile.join import join_extension
from e2ee.profile.leaves import call_capabilities, key_package_lifetime
from e2ee.profile.suites import SUITES
from e2ee.signalling.versions import SUPPORTED_VERSIONS

__all__ = ["Owner"]


@dataclass(frozen=True, slots=True)
class Owner:
    """A device: its certificate, the signature key that the certificate is for, and its judgement.

    ``delivery_key`` is the Ed25519 key of the delivery service that it is connected to (KEYS-9).
    """

    certificate: VerifiedCertificate
    signing_key: SigningKey = field(repr=False)
    trust: Trust
    configuration: Configuration
    delivery_key: bytes
    entropy: Entropy = field(repr=False)
    frame_keys: Callable[[], FrameKeys] = FrameKeys
    """Makes the store of each call's frame keys."""
    may_ring: Callable[[VerifiedCertificate], bool] = lambda _: True
    """CALL-22: the application's word on who may ring, asked after the caller is known; blocked accounts never may."""

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions of the protocol in which this device calls and answers (KEYS-18)."""
        spoken = set(SUPPORTED_VERSIONS) & set(self.certificate.versions)
        return tuple(sorted(v for v in spoken if v >= self.configuration.minimum_version))

    @property
    def suites(self) -> tuple[int, ...]:
        """The MLS suites in which this device calls and answers, from lower to higher (KEYS-1, KEYS-2)."""
        calls = [suite.mls for suite in SUITES]
        from_minimum = calls[calls.index(self.configuration.minimum_suite) :]
        return tuple(suite for suite in from_minimum if suite in self.certificate.suites)

    @property
    def credential(self) -> Credential:
        """What its leaves carry: the certificate (KEYS-6)."""
        return Credential.basic(self.certificate.certificate.encode())

    def new_key_package(
        self, suite: int, now: int, *, last_resort: bool = False
    ) -> KeyPackageBundle:
        """A fresh KeyPackage of this device, for a group of MLS suite ``suite``. ``now`` in Unix milliseconds.

        A ``last_resort`` is marked as one that is used when no other is left, and again after that.
        """
        return self._key_package(suite, now, (LAST_RESORT,) if last_resort else ())

    def new_join_key_package(self, suite: int, link: GroupLink, now: int) -> KeyPackageBundle:
        """A fresh KeyPackage for joining the group call of ``link`` and for nothing else (GROUP-7), with its proof if it has one."""
        unproven = self._key_package(suite, now, (join_extension(link.call_id, now),))
        key_package = unproven.key_package
        proof = link.proof(key_package.init_key, key_package.leaf_node.signature_key)
        proven = replace(key_package, extensions=(join_extension(link.call_id, now, proof),))
        signed = sign_key_package(unproven.suite, proven, self.signing_key.private)
        return replace(unproven, key_package=signed)

    def _key_package(self, suite: int, now: int, marks: tuple[Extension, ...]) -> KeyPackageBundle:
        return KeyPackageBundle.generate(
            cipher_suite(suite),
            self.signing_key,
            self.credential,
            call_capabilities(self.certificate.suites, marks),
            key_package_lifetime(now),
            self.entropy,
            extensions=marks,
        )
