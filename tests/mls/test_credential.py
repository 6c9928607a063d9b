"""RFC 9420 Section 5.3: X.509 credentials, judged by an application with real certificates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import SigningKey
from e2ee.errors import Reason, RemoteProtocolError
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.group import Group
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.proposal import Add
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import NOW

SUITE = cipher_suite(0x0002)  # its keys are of P-256, which the verifier of certificates accepts
TODAY = datetime.fromtimestamp(NOW / 1000, UTC)


class Refusal(Reason):
    """Why this application refuses a credential."""

    NO_CERTIFICATE = "NO_CERTIFICATE"
    NOT_A_CERTIFICATE = "NOT_A_CERTIFICATE"
    ANOTHER_KEY = "ANOTHER_KEY"
    NOT_TRUSTED = "NOT_TRUSTED"
    ANOTHER_NAME = "ANOTHER_NAME"


def encoded(certificate: x509.Certificate) -> bytes:
    """The certified key as MLS has it: the uncompressed point (Section 5.1.1)."""
    return certificate.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def names(credential: Credential) -> list[str]:
    certificate = x509.load_der_x509_certificate(credential.chain[0])
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return found.value.get_values_for_type(x509.DNSName)


@dataclass
class Certified:
    """An AuthenticationService with one root."""

    root: x509.Certificate
    asked: list[str] = field(default_factory=list)

    def check(self, credential: Credential, signature_key: bytes) -> None:
        if not credential.chain:
            raise RemoteProtocolError(Refusal.NO_CERTIFICATE)
        try:
            leaf, *issuers = map(x509.load_der_x509_certificate, credential.chain)
        except ValueError:
            raise RemoteProtocolError(Refusal.NOT_A_CERTIFICATE) from None
        # "The public key encoded in the subjectPublicKeyInfo of the end-entity certificate MUST be identical to the
        # signature_key in the LeafNode containing this credential."
        if encoded(leaf) != signature_key:
            raise RemoteProtocolError(Refusal.ANOTHER_KEY)
        verifier = PolicyBuilder().store(Store([self.root])).time(TODAY).build_client_verifier()
        try:
            verifier.verify(leaf, issuers)
        except VerificationError:
            raise RemoteProtocolError(Refusal.NOT_TRUSTED) from None
        self.asked += names(credential)

    def check_successor(self, old: Credential, new: Credential) -> None:
        if names(old) != names(new):
            raise RemoteProtocolError(Refusal.ANOTHER_NAME)


@dataclass
class Authority:
    """Who issues certificates."""

    name: str
    key: EllipticCurvePrivateKey
    serial_number: int = 1

    def certificate(
        self,
        subject: str,
        public_key: EllipticCurvePublicKey,
        *,
        authority: bool = False,
        ends: timedelta = timedelta(days=30),
    ) -> x509.Certificate:
        self.serial_number += 1
        own = x509.SubjectKeyIdentifier.from_public_key(public_key)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        unsigned = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)]))
            .public_key(public_key)
            .serial_number(self.serial_number)
            .not_valid_before(TODAY - timedelta(days=60))
            .not_valid_after(TODAY + ends)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(own, critical=False)
            .add_extension(issuer, critical=False)
        )
        usage = x509.KeyUsage(
            digital_signature=not authority,
            key_cert_sign=authority,
            crl_sign=authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        unsigned = unsigned.add_extension(usage, critical=True)
        if not authority:
            unsigned = unsigned.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False
            ).add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
            )
        return unsigned.sign(self.key, hashes.SHA256(), ecdsa_deterministic=True)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


class World:
    """A root, an intermediate authority below it, and clients with certificates of that one."""

    def __init__(self, secret: int) -> None:
        self.entropy = SeededEntropy(b"certified")
        self.root = Authority("root", derive_private_key(secret, SECP256R1()))
        self.below = Authority("intermediate", derive_private_key(secret + 1, SECP256R1()))
        root_key, below_key = self.root.key.public_key(), self.below.key.public_key()
        self.root_certificate = self.root.certificate("root", root_key, authority=True)
        self.intermediate = self.root.certificate("intermediate", below_key, authority=True)
        self.application = Certified(self.root_certificate)
        self.policy = ValidationPolicy(self.application, NOW)

    def signing_key(self) -> SigningKey:
        return SUITE.signature.generate(self.entropy)

    def credential(
        self, name: str, key: SigningKey, ends: timedelta = timedelta(days=30)
    ) -> Credential:
        public_key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key.public)
        certificate = self.below.certificate(name, public_key, ends=ends)
        return Credential.x509(der(certificate), der(self.intermediate))

    def bundle(self, key: SigningKey, credential: Credential) -> KeyPackageBundle:
        return KeyPackageBundle.generate(
            SUITE,
            key,
            credential,
            Capabilities((1,), (0x0002,), (), (), (CredentialType.X509,)),
            Lifetime(NOW // 1000 - 60, NOW // 1000 + 60),
            self.entropy,
        )

    def client(self, name: str) -> KeyPackageBundle:
        key = self.signing_key()
        return self.bundle(key, self.credential(name, key))


@pytest.fixture(scope="module")
def world() -> World:
    return World(secret=1000)


def refusal(action: Callable[[], object]) -> Reason:
    with pytest.raises(RemoteProtocolError) as refused:
        action()
    return refused.value.reason


def test_a_chain_is_carried_as_it_was_given() -> None:
    credential = Credential.x509(b"end entity", b"its issuer")
    again = Credential.decode(credential.encode())
    assert again == credential
    assert again.chain == (b"end entity", b"its issuer")
    assert Credential.x509().chain == Credential.basic(b"alice").chain == ()


def test_members_with_certificates_meet(world: World) -> None:
    alice, bob = world.client("alice.example"), world.client("bob.example")
    entropy, policy = world.entropy, world.policy
    group = Group.create(alice, group_id=b"certified", policy=policy, entropy=entropy)
    pending = group.commit(proposals=[Add(bob.key_package)], policy=policy, entropy=entropy)
    assert pending.welcome is not None
    assert isinstance(pending.welcome.body, Welcome)
    world.application.asked.clear()
    joined = join(pending.welcome.body, bob, policy=policy)
    assert world.application.asked == ["alice.example", "bob.example"]
    assert joined.epoch_authenticator == group.merge(pending.staged).epoch_authenticator


class TestRefusals:
    def adding(self, world: World, bundle: KeyPackageBundle) -> Callable[[], object]:
        alice = world.client("alice.example")
        options = {"policy": world.policy, "entropy": world.entropy}
        group = Group.create(alice, group_id=b"certified", **options)  # type: ignore[arg-type]
        return lambda: group.commit(proposals=[Add(bundle.key_package)], **options)  # type: ignore[arg-type]

    def test_of_a_certificate_of_another_key(self, world: World) -> None:
        own, other = world.signing_key(), world.signing_key()
        bundle = world.bundle(own, world.credential("mallory.example", other))
        assert refusal(self.adding(world, bundle)) is Refusal.ANOTHER_KEY

    def test_of_a_certificate_of_nobody_whom_we_trust(self, world: World) -> None:
        key, elsewhere = world.signing_key(), World(secret=2000)
        bundle = world.bundle(key, elsewhere.credential("mallory.example", key))
        assert refusal(self.adding(world, bundle)) is Refusal.NOT_TRUSTED

    def test_of_a_chain_with_a_gap(self, world: World) -> None:
        key = world.signing_key()
        first = world.credential("mallory.example", key).chain[0]
        bundle = world.bundle(key, Credential.x509(first))
        assert refusal(self.adding(world, bundle)) is Refusal.NOT_TRUSTED

    def test_of_a_certificate_that_has_expired(self, world: World) -> None:
        key = world.signing_key()
        credential = world.credential("mallory.example", key, ends=timedelta(days=-1))
        assert refusal(self.adding(world, world.bundle(key, credential))) is Refusal.NOT_TRUSTED

    @pytest.mark.parametrize(
        ("chain", "reason"),
        [((), Refusal.NO_CERTIFICATE), ((b"no certificate",), Refusal.NOT_A_CERTIFICATE)],
    )
    def test_of_no_certificate(
        self, world: World, chain: tuple[bytes, ...], reason: Refusal
    ) -> None:
        bundle = world.bundle(world.signing_key(), Credential.x509(*chain))
        assert refusal(self.adding(world, bundle)) is reason

    def test_in_a_group_whose_members_cannot_read_certificates(self, world: World) -> None:
        """Section 13.3: "The only types of credential that may be used in a group are those that all members support"."""
        bob = world.client("bob.example")
        key = world.signing_key()
        alice = world.bundle(key, world.credential("alice.example", key))
        leaf = alice.key_package.leaf_node
        assert leaf.capabilities.credentials == (CredentialType.X509,)
        basic = KeyPackageBundle.generate(
            SUITE,
            world.signing_key(),
            Credential.basic(b"carol"),
            replace(leaf.capabilities, credentials=(CredentialType.BASIC,)),
            Lifetime(NOW // 1000 - 60, NOW // 1000 + 60),
            world.entropy,
        )

        class Lenient(Certified):
            def check(self, credential: Credential, signature_key: bytes) -> None:
                """Basic credentials too."""

        lenient = ValidationPolicy(Lenient(world.root_certificate), NOW)
        group = Group.create(bob, group_id=b"mixed", policy=lenient, entropy=world.entropy)
        with pytest.raises(ValidationError) as refused:
            group.commit(proposals=[Add(basic.key_package)], policy=lenient, entropy=world.entropy)
        assert refused.value.reason is Rule.CREDENTIAL_TYPE_NOT_SUPPORTED


def test_a_renewed_certificate_replaces_the_old_one_and_another_name_does_not(world: World) -> None:
    key = world.signing_key()
    old, renewed, other = (
        world.credential(name, key) for name in ("bob.example", "bob.example", "mallory.example")
    )
    assert old != renewed
    world.application.check(renewed, key.public)
    world.application.check_successor(old, renewed)
    reason = refusal(lambda: world.application.check_successor(old, other))
    assert reason is Refusal.ANOTHER_NAME
