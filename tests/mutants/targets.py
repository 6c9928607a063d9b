"""The modules whose checks other implementations have to have, too: what spec/ says of bytes and times."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

__all__ = ["NOT_SEEN_OUTSIDE", "modules"]

PACKAGES = (
    "e2ee.sframe",
    "e2ee.media",
    "e2ee.identity",
    "e2ee.profile",
    "e2ee.mls",
    "e2ee.signalling",
    "e2ee.call",
    "e2ee.crypto",
)

MODULES = (
    "e2ee.account_id",
    "e2ee.tls_syntax",
    "e2ee.aiortc_seams.payloads",  # what RTP is before it is a frame
    "e2ee.aiortc_seams.receiving",
    "e2ee.rtc.incoming",
)

NOT_OF_A_CALL = (
    "e2ee.mls.stored_",  # what stores groups is for applications of their own
    "e2ee.mls.testing",
    "e2ee.mls.grease",
    "e2ee.sframe.aes_ctr_hmac",  # suites with short tags, which FRAME-2 excludes
    "e2ee.sframe.ratchet",  # RFC 9605, Section 5.1: this protocol has the keys of Section 5.2
    "e2ee.crypto.ecdsa",  # P-256 to P-521: suites that KEYS-2 does not have
    "e2ee.crypto.nist_curve",
    "e2ee.crypto.passphrase",  # a device's own store
    "e2ee.crypto.seeded_entropy",  # for vectors and tests
    "e2ee.call.key_packages",  # what a device keeps of its own
)
"""Modules that are there for other users of the library, or for the device itself. Each begins so."""

NOT_SEEN_OUTSIDE = frozenset(
    {
        *("NEVER", "ENDED", "_NEVER", "_EVER", "_UNBOUNDED", "_A_FEW", "_HALF"),
        *("OVER_KEPT", "OWN_COMMITS_KEPT", "LINKS_KEPT", "LEFT_KEPT", "KEPT_FOR", "MAX_DEPTH"),
        *("BACKDATED", "CERTIFIED_FOR", "ATTESTED_FOR", "KEY_PACKAGE_LIFETIME"),
        *("_P448", "_COUNTER_BLOCK", "_SAMPLE_RATE", "_CODE"),
    }
)
"""Numbers that are no number of the protocol: how long a device remembers, what stands for "never", what it likes."""


def modules() -> Iterator[str]:
    """Their names, in order."""
    for name in (*MODULES, *PACKAGES):
        yield from _with_inner(name)


def _with_inner(name: str) -> Iterator[str]:
    package = importlib.import_module(name)
    yield name
    if path := getattr(package, "__path__", None):
        for each in pkgutil.walk_packages(path, f"{name}."):
            if not each.name.startswith(NOT_OF_A_CALL):
                yield each.name
