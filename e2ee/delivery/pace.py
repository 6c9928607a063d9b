"""How fast the epochs of a group call may follow one another (DS-18, KEYS-25)."""

from __future__ import annotations

from e2ee.delivery.call import Call
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.limits import COMMIT_INTERVAL, MAX_PACE, PACE_WINDOW
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.commit import Commit
from e2ee.mls.proposal import Add, Remove
from e2ee.profile.commit_facts import by_value

__all__ = ["check_pace"]


def check_pace(call: Call, commit: Commit, committer: VerifiedCertificate, now: int) -> None:
    """Raises DeliveryError (TOO_SOON) for a commit that its call has to wait with; ProfileError if it refers to proposals."""
    # KEYS-25: "the delivery service MUST refuse the commit that would begin one more"
    if call.begun_since(now - PACE_WINDOW) >= MAX_PACE:
        detail = f"at most {MAX_PACE} epochs in {PACE_WINDOW // 1000} s"
        raise DeliveryError(DeliveryReason.TOO_SOON, detail)
    # DS-18: "but for a commit of a host that removes somebody and adds nobody"
    if call.profile.is_host(committer.account_key) and _only_removes(commit):
        return
    # DS-18: "Between two commits of a group call 1 s MUST pass"
    waited = now - call.begun_at
    if call.past and waited < COMMIT_INTERVAL:
        raise DeliveryError(DeliveryReason.TOO_SOON, f"{waited} ms after the last one")


def _only_removes(commit: Commit) -> bool:
    kinds = {type(content) for content in by_value(commit)}
    return Remove in kinds and Add not in kinds
