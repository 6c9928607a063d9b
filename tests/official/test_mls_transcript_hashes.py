"""mls/transcript-hashes.json: the running hashes, and the tag that confirms them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.mls.commit import Commit
from e2ee.mls.framing import AuthenticatedContent
from e2ee.mls.transcript_hash import (
    check_confirmation_tag,
    confirmed_transcript_hash,
    interim_transcript_hash,
)

Cases = Callable[[str], list[tuple[int, dict[str, Any]]]]


def test_transcript_hashes(mls_cases: Cases, subtests: pytest.Subtests) -> None:
    for number, case in mls_cases("transcript-hashes"):
        with subtests.test(case=number):
            _check(case)


def _check(case: dict[str, Any]) -> None:
    kdf = cipher_suite(case["cipher_suite"]).kdf
    sent = AuthenticatedContent.decode(bytes.fromhex(case["authenticated_content"]))
    assert isinstance(sent.content.content, Commit)
    before = bytes.fromhex(case["interim_transcript_hash_before"])
    confirmed = confirmed_transcript_hash(
        kdf, before, sent.wire_format, sent.content, sent.auth.signature
    )
    assert confirmed.hex() == case["confirmed_transcript_hash_after"]
    tag = sent.auth.confirmation_tag
    assert tag is not None
    assert (
        interim_transcript_hash(kdf, confirmed, tag).hex() == case["interim_transcript_hash_after"]
    )
    key = Secret(bytes.fromhex(case["confirmation_key"]))
    check_confirmation_tag(kdf, key, confirmed, tag)
