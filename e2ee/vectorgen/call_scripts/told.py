"""What a device reports, in the words of the chapter Calls: one function for each event."""

from __future__ import annotations

from typing import Any

__all__ = ["ended", "event", "rings", "stopped"]

Told = dict[str, Any]


def event(name: str, **values: Any) -> Told:
    """Any of them."""
    return {"event": name, **values}


def rings(account_id: str, medium: str = "video", contact: str = "unverified") -> Told:
    """Somebody calls."""
    return event("rings", account_id=account_id, medium=medium, contact=contact)


def ended(reason: str) -> Told:
    """The call is over."""
    return event("ended", reason=reason)


def stopped(reason: str, *silent: int) -> Told:
    """No frames are sent any more."""
    return event("stopped", reason=reason, silent=list(silent))


def said(leaf: int, text: str) -> Told:
    """A chat text is shown."""
    return event("chat", leaf=leaf, text=text)


def removed_until(until: int, *leaves: int) -> Told:
    """CALL-25: Unix milliseconds."""
    return event("removed-until", leaves=list(leaves), until=until)
