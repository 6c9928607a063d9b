"""How the values of a client's stores are written: the structures of ``key_store`` and ``trust_store``.

They are read by the program that wrote them, in one format (``sealed_store``'s number). What does not read, or does not
verify where something should, is damage: nobody sent it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated

from e2ee.client.store_errors import StoreError, StoreReason
from e2ee.crypto.secret import Secret
from e2ee.errors import E2EEError
from e2ee.identity.device_certificate import DeviceCertificate, Key
from e2ee.mls.key_package import KeyPackage
from e2ee.tls_syntax import (
    Codec,
    Opaque,
    Struct,
    Uint8,
    Uint16,
    Uint32,
    opaque,
    optional,
    struct,
    uint64,
    vector,
)
from e2ee.tls_syntax import fixed as fixed_length
from e2ee.tls_syntax.form import Converted, Octets

__all__ = [
    "StoredAccount",
    "StoredBundle",
    "StoredContact",
    "StoredDevice",
    "StoredDeviceList",
    "StoredDirectoryKey",
    "StoredService",
    "as_damage",
    "stored_number",
]

SecretOpaque = Annotated[
    Secret,
    Codec(
        lambda reader: Secret(opaque.read(reader)),
        opaque.write,
        1,
        form=Converted(Octets(None), Secret),
    ),
]
OptionalKey = Annotated[bytes | None, optional(fixed_length(32))]

stored_number = uint64
"""Numbers of messages, and times in Unix milliseconds."""


@struct
class StoredDirectoryKey(Struct):
    """A row of ``DirectoryKeys``."""

    directory_key_id: Uint8
    key: Key


@struct
class StoredService(Struct):
    """``key_store.Service``; texts are UTF-8."""

    url: Opaque
    server_name: Opaque
    directory_keys: Annotated[tuple[StoredDirectoryKey, ...], vector(StoredDirectoryKey.codec())]
    delivery_key: OptionalKey


@struct
class StoredAccount(Struct):
    """``AccountKey``."""

    account_id: Opaque
    private: SecretOpaque


@struct
class StoredDevice(Struct):
    """``CertifiedDevice``."""

    name: Opaque
    signature_key: Key
    certificate: DeviceCertificate
    revoked: Uint8


@struct
class StoredDeviceList(Struct):
    """``DeviceList``."""

    generation: Uint32
    devices: Annotated[tuple[StoredDevice, ...], vector(StoredDevice.codec())]


@struct
class StoredBundle(Struct):
    """``KeyPackageBundle`` without the signature key, which is the device's."""

    key_package: KeyPackage
    init_private_key: SecretOpaque
    encryption_private_key: SecretOpaque


@struct
class StoredContact(Struct):
    """``Contact`` without its ``account_id``, under which it stands."""

    account_key: OptionalKey
    verified: Uint8
    blocked: Uint8
    highest_suite: Uint16
    code_attempts: Annotated[tuple[int, ...], vector(uint64)]


@contextlib.contextmanager
def as_damage(what: str) -> Iterator[None]:
    """What anybody else refuses in this block is refused as a damaged store."""
    try:
        yield
    except StoreError:
        raise
    except (E2EEError, UnicodeDecodeError) as error:
        raise StoreError(StoreReason.DAMAGED, f"{what}: {type(error).__name__}") from None
