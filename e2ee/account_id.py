"""What an account id is (IDENT-1): one predicate for who certifies, sends and reads account ids."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["MAX_ACCOUNT_ID", "flaw"]

MAX_ACCOUNT_ID = 64
"""Longest account id, in bytes of UTF-8."""

# Control characters, line and paragraph separators, and what turns the direction of text
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def flaw(account_id: str) -> str | None:
    """Why this is no account id; None if it is one."""
    try:
        size = len(account_id.encode())
    except UnicodeEncodeError:
        return "not UTF-8"
    # IDENT-1: "1 to 64 bytes of UTF-8 in Normalization Form C"
    if not 1 <= size <= MAX_ACCOUNT_ID:
        return f"{size} bytes, not 1 to {MAX_ACCOUNT_ID}"
    if not unicodedata.is_normalized("NFC", account_id):
        return "not in Normalization Form C"
    # IDENT-1: "holds a control character"
    if _UNSHOWABLE.search(account_id):
        return "a control or direction character"
    return None
