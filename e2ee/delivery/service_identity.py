"""ServiceIdentity: who a delivery service is, the same after each restart.

Its directory has two keys: one that attests, and the next one, which clients are shipped with already (IDENT-4). So the key
that attests can be given up, in the ordinary course or because somebody else may have it, and clients need not change
with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.delivery.errors import DeliveryReason, ServiceUsageError
from e2ee.delivery.transaction import Store
from e2ee.errors import DecodeError
from e2ee.identity.attestation import AttestationAuthority, DirectoryKeys
from e2ee.tls_syntax import Codec, Opaque, Struct, Uint8, fixed, struct
from e2ee.tls_syntax.form import Converted, Octets

__all__ = ["ServiceIdentity"]

_private_key: Codec[Secret] = Codec(
    lambda reader: Secret(fixed(32).read(reader)),
    fixed(32).write,
    32,
    form=Converted(Octets(32), Secret),
)
PrivateKey = Annotated[Secret, _private_key]


@struct
class _Stored(Struct):
    """How a store keeps it."""

    format: Uint8
    server_name: Opaque
    delivery_key: PrivateKey
    directory_key_id: Uint8
    directory_key: PrivateKey
    next_directory_key: PrivateKey


_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ServiceIdentity:
    """The name that devices connect to, the service's key, and its directory's signing keys, this one and the next."""

    server_name: str
    delivery_key: SigningKey
    authority: AttestationAuthority
    next_authority: AttestationAuthority

    @classmethod
    def create(cls, server_name: str, entropy: Entropy) -> ServiceIdentity:
        """A new service with fresh keys."""
        authority = AttestationAuthority(1, ED25519.generate(entropy))
        delivery_key = ED25519.generate(entropy)
        return cls(server_name, delivery_key, authority, _successor(authority, entropy))

    @classmethod
    def of(cls, store: Store, server_name: str, entropy: Entropy) -> ServiceIdentity:
        """The service that ``store`` belongs to; a new one, if it belongs to none yet.

        Raises ServiceUsageError (WRONG_SERVER_NAME, IDENTITY_UNREADABLE).
        """
        with store.transaction() as tx:
            stored = tx.identity()
            if stored is not None:
                return _of_this_name(_decoded(stored), server_name)
            identity = cls.create(server_name, entropy)
            tx.put_identity(_encoded(identity))
        return identity

    @classmethod
    def rotate(cls, store: Store, entropy: Entropy) -> ServiceIdentity:
        """Have the next directory key attest from the service's next start on, and make a new next one.

        Raises ServiceUsageError (IDENTITY_MISSING, IDENTITY_UNREADABLE).
        """
        with store.transaction() as tx:
            stored = tx.identity()
            if stored is None:
                raise ServiceUsageError(
                    DeliveryReason.IDENTITY_MISSING, "the store is of no service"
                )
            was = _decoded(stored)
            successor = _successor(was.next_authority, entropy)
            rotated = cls(was.server_name, was.delivery_key, was.next_authority, successor)
            tx.put_identity(_encoded(rotated))
        return rotated

    def directory_keys(self) -> DirectoryKeys:
        """What a client of this directory is shipped with."""
        both = (self.authority, self.next_authority)
        return DirectoryKeys({each.directory_key_id: each.key.public for each in both})


def _successor(authority: AttestationAuthority, entropy: Entropy) -> AttestationAuthority:
    return AttestationAuthority(_id_after(authority.directory_key_id), ED25519.generate(entropy))


def _id_after(directory_key_id: int) -> int:
    """A u8 again. 0 is left out: certificates without an attestation have it."""
    return directory_key_id % 255 + 1


def _encoded(identity: ServiceIdentity) -> Secret:
    stored = _Stored(
        format=_FORMAT,
        server_name=identity.server_name.encode(),
        delivery_key=identity.delivery_key.private,
        directory_key_id=identity.authority.directory_key_id,
        directory_key=identity.authority.key.private,
        next_directory_key=identity.next_authority.key.private,
    )
    return Secret(stored.encode())


def _decoded(encoded: Secret) -> ServiceIdentity:
    try:
        stored = _Stored.decode(encoded)
    except DecodeError:
        raise ServiceUsageError(DeliveryReason.IDENTITY_UNREADABLE) from None
    if stored.format != _FORMAT:
        raise ServiceUsageError(DeliveryReason.IDENTITY_UNREADABLE, f"format {stored.format}")
    this_id = stored.directory_key_id
    return ServiceIdentity(
        stored.server_name.decode(),
        _signing_key(stored.delivery_key),
        AttestationAuthority(this_id, _signing_key(stored.directory_key)),
        AttestationAuthority(_id_after(this_id), _signing_key(stored.next_directory_key)),
    )


def _of_this_name(identity: ServiceIdentity, server_name: str) -> ServiceIdentity:
    if identity.server_name != server_name:
        detail = f"the store is of {identity.server_name}"
        raise ServiceUsageError(DeliveryReason.WRONG_SERVER_NAME, detail)
    return identity


def _signing_key(private: Secret) -> SigningKey:
    return SigningKey(private, ED25519.public_key(private))
