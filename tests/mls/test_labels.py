"""RFC 9420 Sections 5 and 8: an output made for one label and context means nothing for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.errors import OpenError
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.labels import (
    decrypt_with_label,
    derive_secret,
    encrypt_with_label,
    expand_with_label,
    ref_hash,
    sign_with_label,
    verify_with_label,
)

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop


def test_the_label_is_prefixed_in_signatures(workshop: Workshop) -> None:
    alice = workshop.client("alice").signing
    signature = sign_with_label(workshop.suite, alice.private, "LeafNodeTBS", b"content")
    by_hand = b"\x13MLS 1.0 LeafNodeTBS" + b"\x07content"
    workshop.suite.signature.verify(alice.public, by_hand, signature)


@pytest.mark.parametrize(
    ("label", "content"), [("KeyPackageTBS", b"content"), ("LeafNodeTBS", b"other content")]
)
def test_a_signature_is_for_one_label_and_content(
    workshop: Workshop, label: str, content: bytes
) -> None:
    alice = workshop.client("alice").signing
    signature = sign_with_label(workshop.suite, alice.private, "LeafNodeTBS", b"content")
    with pytest.raises(ValidationError) as refused:
        verify_with_label(
            workshop.suite, alice.public, label, content, signature, Rule.LEAF_SIGNATURE
        )
    assert refused.value.reason == Rule.LEAF_SIGNATURE


@pytest.mark.parametrize(("label", "context"), [("Welcome", b"a"), ("UpdatePathNode", b"b")])
def test_a_ciphertext_is_for_one_label_and_context(
    workshop: Workshop, label: str, context: bytes
) -> None:
    suite = workshop.suite
    bob = suite.hpke.kem.generate_key_pair(workshop.entropy)
    sealed = encrypt_with_label(
        suite, bob.public, "UpdatePathNode", b"a", b"path secret", workshop.entropy
    )
    assert decrypt_with_label(suite, bob.private, "UpdatePathNode", b"a", sealed) == b"path secret"
    with pytest.raises(OpenError):
        decrypt_with_label(suite, bob.private, label, context, sealed)


def test_a_derived_secret_depends_on_label_context_and_length(workshop: Workshop) -> None:
    kdf = workshop.suite.kdf
    derived = expand_with_label(kdf, bytes(32), "key", b"", 32)
    assert derived == derive_secret(kdf, bytes(32), "key")
    assert derived != expand_with_label(kdf, bytes(32), "nonce", b"", 32)
    assert derived != expand_with_label(kdf, bytes(32), "key", b"context", 32)
    assert derived[:16] != bytes(expand_with_label(kdf, bytes(32), "key", b"", 16))


def test_a_reference_depends_on_its_label(workshop: Workshop) -> None:
    kdf = workshop.suite.kdf
    as_key_package = ref_hash(kdf, "MLS 1.0 KeyPackage Reference", b"value")
    assert as_key_package != ref_hash(kdf, "MLS 1.0 Proposal Reference", b"value")
    assert len(as_key_package) == kdf.Nh
