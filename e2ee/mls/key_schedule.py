"""RFC 9420 Section 8: how the secrets of one epoch lead to those of the next.

                      init_secret of epoch n-1
                               |
    commit_secret  ------>  Extract
                               |
                    "joiner" + GroupContext[n]  -> joiner_secret (goes into Welcomes)
                               |
    psk_secret or 0  ---->  Extract
                               +--> "welcome"   -> welcome_secret
                               |
                    "epoch" + GroupContext[n]   -> epoch_secret -> one secret for each row of ``EPOCH_SECRET_LABELS``

Strategy: pure functions from secrets to secrets; nothing here remembers anything. The secrets between the rows
(``joiner_secret``, ``epoch_secret``, ...) exist only while these functions run, unless a caller needs them.

"As soon as a group member consumes a value, they MUST immediately delete (all representations of) that value"
(Section 9.2). Deleting means here, in the whole secret half, that the last reference is dropped as early as it can
be; what Python does not promise about the memory is said in ``e2ee.crypto.secret``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.kdf import Kdf
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.labels import derive_secret, expand_with_label
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.tls_syntax import Struct, Uint16, struct

__all__ = [
    "EPOCH_SECRET_LABELS",
    "EpochSecrets",
    "PSKLabel",
    "derive_epoch_secret",
    "derive_joiner_secret",
    "derive_psk_secret",
    "derive_welcome_secret",
    "export",
    "external_key_pair",
    "psk_secret_of",
    "zero_secret",
]

EPOCH_SECRET_LABELS = {
    "sender_data_secret": "sender data",
    "encryption_secret": "encryption",
    "exporter_secret": "exporter",
    "external_secret": "external",
    "confirmation_key": "confirm",
    "membership_key": "membership",
    "resumption_psk": "resumption",
    "epoch_authenticator": "authentication",
    "init_secret": "init",
}
"""RFC 9420 Section 8, Table 4, and the last step of the figure: secret and label in DeriveSecret(epoch_secret, .)."""


@dataclass(frozen=True, slots=True, repr=False)
class EpochSecrets:
    """RFC 9420 Section 8, Table 4: what is derived from ``epoch_secret``; each is Nh bytes."""

    sender_data_secret: Secret
    encryption_secret: Secret
    exporter_secret: Secret
    external_secret: Secret
    confirmation_key: Secret
    membership_key: Secret
    resumption_psk: Secret
    epoch_authenticator: Secret
    init_secret: Secret

    @classmethod
    def derive(cls, kdf: Kdf, epoch_secret: Secret) -> EpochSecrets:
        """All rows of the table from an epoch's ``epoch_secret``."""
        return cls(
            **{
                name: derive_secret(kdf, epoch_secret, label)
                for name, label in EPOCH_SECRET_LABELS.items()
            }
        )


def zero_secret(kdf: Kdf) -> Secret:
    """``0``: "an all-zero byte string of length KDF.Nh"."""
    return Secret(bytes(kdf.Nh))


def derive_joiner_secret(
    kdf: Kdf, init_secret: Secret, commit_secret: Secret, group_context: bytes
) -> Secret:
    """``joiner_secret`` of the epoch that the encoded ``group_context`` describes."""
    extracted = kdf.extract(init_secret, commit_secret)
    return expand_with_label(kdf, extracted, "joiner", group_context, kdf.Nh)


def derive_epoch_secret(
    kdf: Kdf, joiner_secret: Secret, psk_secret: Secret, group_context: bytes
) -> Secret:
    """``epoch_secret`` of the epoch that the encoded ``group_context`` describes."""
    extracted = kdf.extract(joiner_secret, psk_secret)
    return expand_with_label(kdf, extracted, "epoch", group_context, kdf.Nh)


def derive_welcome_secret(kdf: Kdf, joiner_secret: Secret, psk_secret: Secret) -> Secret:
    """``welcome_secret``, which needs no GroupContext: a joiner has none yet."""
    return derive_secret(kdf, kdf.extract(joiner_secret, psk_secret), "welcome")


def external_key_pair(suite: CipherSuite, external_secret: Secret) -> KeyPair:
    """``external_priv, external_pub = KEM.DeriveKeyPair(external_secret)``."""
    return suite.hpke.kem.derive_key_pair(external_secret)


def export(kdf: Kdf, exporter_secret: Secret, label: str, context: bytes, length: int) -> Secret:
    """RFC 9420 Section 8.5: MLS-Exporter(label, context, length)."""
    derived = derive_secret(kdf, exporter_secret, label)
    return expand_with_label(kdf, derived, "exported", kdf.hash(context), length)


@struct
class PSKLabel(Struct):
    """RFC 9420 Section 8.4."""

    id: PreSharedKeyID
    index: Uint16
    count: Uint16


def derive_psk_secret(kdf: Kdf, psks: Sequence[tuple[PreSharedKeyID, bytes]]) -> Secret:
    """RFC 9420 Section 8.4: ``psk_secret`` of the PSKs in the order of their proposals; zero for none."""
    psk_secret = zero_secret(kdf)
    for index, (psk_id, psk) in enumerate(psks):
        label = PSKLabel(psk_id, index, len(psks)).encode()
        extracted = kdf.extract(zero_secret(kdf), psk)
        psk_input = expand_with_label(kdf, extracted, "derived psk", label, kdf.Nh)
        psk_secret = kdf.extract(psk_input, psk_secret)
    return psk_secret


def psk_secret_of(
    kdf: Kdf, psk_ids: Iterable[PreSharedKeyID], known: Mapping[PskName, Secret]
) -> Secret:
    """``psk_secret`` of these PSKs; ``known`` are those that the application has.

    Raises ValidationError(PSK_UNKNOWN): a missing key is never replaced by anything.
    """
    return derive_psk_secret(kdf, [(psk_id, _lookup(psk_id, known)) for psk_id in psk_ids])


def _lookup(psk_id: PreSharedKeyID, known: Mapping[PskName, Secret]) -> Secret:
    # Section 12.4.3.1: "If a PreSharedKeyID is part of the GroupSecrets and the client is not in possession of the
    # corresponding PSK, return an error."
    if psk_id.psk not in known:
        raise ValidationError(Rule.PSK_UNKNOWN, psk_id.psktype.name.lower())
    return known[psk_id.psk]
