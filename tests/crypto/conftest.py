"""What the tests of the primitives share: reproducible randomness that can also encapsulate with ML-KEM."""

from __future__ import annotations

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.crypto.seeded_entropy import SeededEntropy


@pytest.fixture
def entropy(request: pytest.FixtureRequest) -> SeededEntropy:
    """A stream of its own for each test."""
    return SeededEntropy(request.node.nodeid.encode(), ML_KEM_768._encaps_internal)


@pytest.fixture(params=CIPHER_SUITES.values(), ids=str)
def suite(request: pytest.FixtureRequest) -> CipherSuite:
    """Each cipher suite in turn."""
    row: CipherSuite = request.param
    return row
