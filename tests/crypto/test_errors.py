"""Each refusal says by its class who erred and by its reason which rule was broken."""

from __future__ import annotations

import pytest

from e2ee.crypto import errors
from e2ee.crypto.errors import CryptoReason
from e2ee.errors import E2EEError, LocalProtocolError, RemoteProtocolError

TREE: dict[type[LocalProtocolError | RemoteProtocolError], tuple[type[E2EEError], CryptoReason]] = {
    errors.OpenError: (RemoteProtocolError, CryptoReason.NOT_AUTHENTIC),
    errors.BadSignature: (RemoteProtocolError, CryptoReason.BAD_SIGNATURE),
    errors.BadPublicKey: (RemoteProtocolError, CryptoReason.BAD_PUBLIC_KEY),
    errors.BadEncapsulation: (RemoteProtocolError, CryptoReason.BAD_ENCAPSULATION),
    errors.UnsupportedCipherSuite: (RemoteProtocolError, CryptoReason.UNSUPPORTED_CIPHER_SUITE),
    errors.BadLength: (LocalProtocolError, CryptoReason.BAD_LENGTH),
    errors.BadPrivateKey: (LocalProtocolError, CryptoReason.BAD_PRIVATE_KEY),
    errors.NoEncapsulation: (LocalProtocolError, CryptoReason.NO_ENCAPSULATION),
}


@pytest.mark.parametrize("error", list(TREE), ids=lambda error: error.__name__)
def test_class_and_reason_belong_together(
    error: type[errors.OpenError] | type[errors.BadLength],
) -> None:
    who, reason = TREE[error]
    raised = error("why")
    assert isinstance(raised, who)
    assert raised.reason is reason
    assert str(raised) == f"{reason}: why"


def test_every_reason_has_its_class() -> None:
    assert {reason for _, reason in TREE.values()} == set(CryptoReason)
    assert {error.__name__ for error in TREE} | {"CryptoReason"} == set(errors.__all__)
