"""RFC 9420 Section 8.2: each hash covers everything before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.framing import WireFormat
from e2ee.mls.transcript_hash import (
    check_confirmation_tag,
    confirmation_tag,
    confirmed_transcript_hash,
    interim_transcript_hash,
)

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop

KEY = Secret(b"k" * 32)


def test_the_confirmed_hash_covers_the_past_the_commit_and_its_signature(
    workshop: Workshop,
) -> None:
    alice = workshop.client("alice")
    group = workshop.group(alice)
    sent = workshop.commit(group, alice, 0)
    kdf, wire_format = workshop.suite.kdf, WireFormat.PUBLIC_MESSAGE
    signature = sent.auth.signature
    confirmed = confirmed_transcript_hash(kdf, b"past", wire_format, sent.content, signature)
    by_hand = b"past" + b"\x00\x01" + sent.content.encode() + b"\x40\x40" + signature
    assert confirmed == kdf.hash(by_hand)


def test_the_interim_hash_adds_the_tag(workshop: Workshop) -> None:
    kdf = workshop.suite.kdf
    assert interim_transcript_hash(kdf, b"confirmed", b"tag") == kdf.hash(b"confirmed\x03tag")


def test_a_tag_confirms_one_transcript_under_one_key(workshop: Workshop) -> None:
    kdf = workshop.suite.kdf
    tag = confirmation_tag(kdf, KEY, b"confirmed")
    check_confirmation_tag(kdf, KEY, b"confirmed", tag)
    for key, confirmed, claimed in (
        (Secret(b"other" + bytes(27)), b"confirmed", tag),
        (KEY, b"another history", tag),
        (KEY, b"confirmed", tag[:-1]),
        (KEY, b"confirmed", b""),
    ):
        with pytest.raises(ValidationError) as refused:
            check_confirmation_tag(kdf, key, confirmed, claimed)
        assert refused.value.reason == Rule.CONFIRMATION_TAG
