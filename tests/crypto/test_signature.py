"""What every signature scheme of a cipher suite keeps."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from e2ee.crypto import signature as schemes
from e2ee.crypto.errors import BadLength, BadSignature, CryptoReason
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import SignatureScheme

SCHEMES = [
    schemes.ED25519,
    schemes.ED448,
    schemes.ECDSA_P256,
    schemes.ECDSA_P384,
    schemes.ECDSA_P521,
]
on_each_scheme = pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
MESSAGE = b"the tree hash of epoch 7"


def test_all_schemes_are_here() -> None:
    rows = (getattr(schemes, name) for name in schemes.__all__)
    assert {row for row in rows if isinstance(row, SignatureScheme)} == set(SCHEMES)


@on_each_scheme
@given(seed=st.binary(max_size=8), message=st.binary(max_size=300))
def test_what_was_signed_verifies(scheme: SignatureScheme, seed: bytes, message: bytes) -> None:
    key = scheme.generate(SeededEntropy(seed))
    signature = scheme.sign(key.private, message)
    scheme.verify(key.public, message, signature)
    assert scheme.sign(key.private, message) == signature


@on_each_scheme
def test_a_generated_key_is_whole_and_hides_its_private_key(
    scheme: SignatureScheme, entropy: SeededEntropy
) -> None:
    key = scheme.generate(entropy)
    assert type(key.private) is Secret
    assert key.public == scheme.public_key(key.private)
    assert repr(key).startswith(f"SigningKey(private=Secret({len(key.private)} bytes), public=")
    assert scheme.generate(entropy).public != key.public


@on_each_scheme
def test_the_same_seed_generates_the_same_key(
    scheme: SignatureScheme, entropy: SeededEntropy
) -> None:
    assert scheme.generate(entropy.fork(b"key")) == scheme.generate(entropy.fork(b"key"))


@on_each_scheme
@given(other=st.binary(max_size=40))
def test_another_message_or_key_is_refused(scheme: SignatureScheme, other: bytes) -> None:
    assume(other != MESSAGE)
    key, others = scheme.generate(SeededEntropy(b"one")), scheme.generate(SeededEntropy(b"two"))
    signature = scheme.sign(key.private, MESSAGE)
    for public, message in ((key.public, other), (others.public, MESSAGE)):
        with pytest.raises(BadSignature) as refused:
            scheme.verify(public, message, signature)
        assert refused.value.reason is CryptoReason.BAD_SIGNATURE
        assert refused.value.detail == "the equation does not hold"


@on_each_scheme
@given(data=st.data())
def test_no_bit_can_be_flipped(scheme: SignatureScheme, data: st.DataObject) -> None:
    key = scheme.generate(SeededEntropy(b"bits"))
    signature = scheme.sign(key.private, MESSAGE)
    bit = data.draw(st.integers(min_value=0, max_value=8 * len(signature) - 1))
    changed = (int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(len(signature), "little")
    with pytest.raises(BadSignature):
        scheme.verify(key.public, MESSAGE, changed)


@on_each_scheme
@given(public=st.binary(max_size=140), signature=st.binary(max_size=150))
def test_arbitrary_bytes_are_refused_and_nothing_else_is_raised(
    scheme: SignatureScheme, public: bytes, signature: bytes
) -> None:
    key = scheme.generate(SeededEntropy(b"arbitrary"))
    for a, s in (
        (public, signature),
        (key.public, signature),
        (public, scheme.sign(key.private, b"")),
    ):
        with pytest.raises(BadSignature):
            scheme.verify(a, MESSAGE, s)


@on_each_scheme
def test_a_private_key_of_the_wrong_length_is_the_callers_fault(scheme: SignatureScheme) -> None:
    private = scheme.generate(SeededEntropy(b"length")).private
    for wrong in (b"", private + b"\x00"):
        for use in (scheme.public_key, lambda key: scheme.sign(key, MESSAGE)):
            with pytest.raises(BadLength) as refused:
                use(wrong)
            assert refused.value.reason is CryptoReason.BAD_LENGTH
            assert f"has {len(private)} bytes, not {len(wrong)}" in refused.value.detail
