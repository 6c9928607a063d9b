"""In which calls each account has media at the forwarding unit (DS-7): one that is everywhere would take all of its places."""

from __future__ import annotations

from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.limits import MAX_MEDIA_CALLS

__all__ = ["MediaCalls"]


class MediaCalls:
    """A call counts once for an account, from the first connection that a device of it asks for to the end of the last
    one's media. It is in memory, as the connections themselves: with the service's process these end."""

    def __init__(self) -> None:
        self._devices: dict[str, dict[bytes, set[bytes]]] = {}
        """Account id -> call id -> signature keys."""
        self._accounts: dict[tuple[bytes, bytes], str] = {}
        """(call id, signature key) -> account id."""

    def begin(self, account_id: str, call_id: bytes, signature_key: bytes) -> None:
        """A device asks for a connection. Raises DeliveryError (TOO_MANY_CALLS), and then nothing has changed."""
        calls = self._devices.get(account_id, {})
        # DS-7: "media in 16 calls"
        if call_id not in calls and len(calls) >= MAX_MEDIA_CALLS:
            detail = f"media of an account in at most {MAX_MEDIA_CALLS}"
            raise DeliveryError(DeliveryReason.TOO_MANY_CALLS, detail)
        self._devices.setdefault(account_id, calls).setdefault(call_id, set()).add(signature_key)
        self._accounts[call_id, signature_key] = account_id

    def end(self, call_id: bytes, signature_key: bytes) -> None:
        """A device's media in a call have ended. It may never have had any."""
        account_id = self._accounts.pop((call_id, signature_key), None)
        if account_id is None:
            return
        calls = self._devices[account_id]
        calls[call_id].discard(signature_key)
        if not calls[call_id]:
            del calls[call_id]
        if not calls:
            del self._devices[account_id]

    def __len__(self) -> int:
        return len(self._accounts)
