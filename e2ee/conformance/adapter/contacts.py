"""The chapter Identity: whom a client trusts, step by step."""

from __future__ import annotations

from e2ee.conformance.adapter.operations import Answer, Given, operation
from e2ee.conformance.adapter.step_by_step import Outcome, step_by_step
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.errors import IdentityReason, TrustError
from e2ee.identity.trust import ContactState, MemoryTrustStore, Trust


class _Client:
    def __init__(self, given: Given) -> None:
        keys = {int(number): bytes.fromhex(key) for number, key in given["directory_keys"].items()}
        self._trust = Trust(MemoryTrustStore(), DirectoryKeys(keys))
        self._now: int = given["now"]

    def act(self, step: Given) -> Outcome:
        """The contact's state after the step."""
        if step["step"] == "compare":
            account_id: str = step["account_id"]
            self._trust.mark_verified(account_id, bytes.fromhex(step["account_key"]))
            return {"state": self._trust.contact(account_id).state}
        certificate = verify_certificate(
            bytes.fromhex(step["identity"]), bytes.fromhex(step["leaf_signature_key"])
        )
        return {"state": self._after(step["step"], certificate)}

    def _after(self, step: str, certificate: VerifiedCertificate) -> ContactState | None:
        if step == "meet":
            return self._meet(certificate)
        if step == "see":
            self._trust.observe([certificate], self._now)
        else:
            self._trust.accept_change(certificate, self._now)
        return self._trust.contact(certificate.account_id).state

    def _meet(self, certificate: VerifiedCertificate) -> ContactState:
        """A changed key is shown, and is not accepted."""
        try:
            return self._trust.accept(certificate, self._now)
        except TrustError as refused:
            if refused.reason is not IdentityReason.CHANGED:
                raise
            return self._trust.judge(certificate, self._now)


@operation("identity/contact")
def contact(given: Given) -> Answer:
    """IDENT-7 to IDENT-10, IDENT-18."""
    return step_by_step(given["steps"], _Client(given).act)
