"""Account keys that somebody was seen with in the place of the one that is known: what a person has to decide (IDENT-10).

A certificate that shows a changed key comes with a call or a letter, and people decide later, perhaps in another process.
So it is kept here, one for each account, the newest. It decides nothing: ``Trust.accept_change`` judges it again.
"""

from __future__ import annotations

from e2ee.client.entries import Entries
from e2ee.client.stored_values import as_damage
from e2ee.identity.device_certificate import (
    DeviceCertificate,
    Key,
    VerifiedCertificate,
    verify_certificate,
)
from e2ee.identity.trust import Trust
from e2ee.tls_syntax import Struct, struct

__all__ = ["ChangedKeys"]

_SECTION = "changed keys"


@struct
class _Stored(Struct):
    """A ``VerifiedCertificate``."""

    signature_key: Key
    certificate: DeviceCertificate


class ChangedKeys:
    """See the module; every method may raise StoreError."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def note(self, certificate: VerifiedCertificate) -> None:
        """A device of the account was seen with this certificate, whose key is another than the known one."""
        stored = _Stored(certificate.signature_key, certificate.certificate)
        self._entries.put(_SECTION, certificate.account_id.encode(), stored.encode())

    def find(self, trust: Trust, account_id: str) -> VerifiedCertificate | None:
        """The certificate with the account's other key; None if there is none, or that key is the known one by now."""
        value = self._entries.get(_SECTION, account_id.encode())
        if value is None:
            return None
        with as_damage("a changed key"):
            stored = _Stored.decode(value)
            certificate = verify_certificate(stored.certificate.encode(), stored.signature_key)
        known = trust.contact(account_id).account_key
        return None if known in (None, certificate.account_key) else certificate

    def forget(self, account_id: str) -> None:
        """The person has decided."""
        self._entries.delete(_SECTION, account_id.encode())
