"""Inspection: anything that the protocol carries, taken apart for people and programs, without any key.

    inspection = inspect(data)                  finds out what it is
    inspection = inspect(data, "certificate")   is told what it should be

``structures`` walks declared structures, ``signalling`` the messages of the chapter's tables, both by their declarations;
``frames`` and ``rtp`` are by hand. ``contents`` says what is in fields that carry something else, ``checks`` which
signatures the bytes themselves allow to verify, ``kinds`` what can be inspected and how it is told apart. What is damaged is
shown as far as it goes. Nothing is decrypted, and what is a secret (a device link's, a group link's) is not shown.
"""

from __future__ import annotations

from e2ee.inspection.errors import NotDecodable
from e2ee.inspection.inspect import Inspection, inspect, inspect_text
from e2ee.inspection.kinds import KINDS
from e2ee.inspection.part import Part

__all__ = ["KINDS", "Inspection", "NotDecodable", "Part", "inspect", "inspect_text"]
