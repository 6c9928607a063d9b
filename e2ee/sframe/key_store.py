"""Keys for sending, keys for receiving, and where receive keys are kept (RFC 9605 Section 4.4.1).

"Implementations MUST mark each base_key as usable for encryption or decryption, never both": a ``SendKey`` can
only encrypt and a ``ReceiveKey`` can only decrypt, and neither becomes the other. Both are set up once, and what
does not change from frame to frame is computed then.

Neither the keys nor the store know time: who installs keys erases them. An erased key takes its replay window
with it, so it must not be derived again; the store of the MLS epochs (``e2ee.media.receive_epochs``) sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from e2ee.sframe.cipher_suite import CipherSuite
from e2ee.sframe.counter import Counter
from e2ee.sframe.errors import KeyExists
from e2ee.sframe.header import HeaderPrefixes, header_prefixes
from e2ee.sframe.key_derivation import derive_key_salt
from e2ee.sframe.replay import ReplayWindow

__all__ = ["ReceiveKey", "ReceiveKeyStore", "SendKey"]

AeadFunction = Callable[[bytes, bytes, bytes], bytes]
"""``encrypt`` or ``decrypt`` of a ``Cipher``, bound: (nonce, plaintext or ciphertext, aad) -> the other."""


@dataclass(frozen=True, slots=True, eq=False)
class SendKey:
    """What encrypts the frames of one KID. Immutable but for its counter, so threads may share it.

    Make it with ``SendKey.derive``, once for each pair of base_key and KID.
    """

    KID: int
    counter: Counter
    header_prefixes: HeaderPrefixes = field(repr=False)
    salt: int = field(repr=False)
    encrypt: AeadFunction = field(repr=False)

    @classmethod
    def derive(cls, suite: CipherSuite, KID: int, base_key: bytes, counter: Counter) -> SendKey:
        """The send key of ``KID``, which takes its CTRs from ``counter``: a counter that nothing else uses."""
        key, salt = derive_key_salt(suite, KID, base_key)
        return cls(
            KID=KID,
            counter=counter,
            header_prefixes=header_prefixes(KID),
            salt=int.from_bytes(salt, "big"),
            encrypt=suite.aead.cipher(key).encrypt,
        )


class ReceiveKey:
    """What decrypts the frames of one KID, with its replay window and the full epoch that it belongs to."""

    __slots__ = ("KID", "decrypt", "epoch", "salt", "window")

    KID: int
    epoch: int
    """The full epoch; a KID holds its low bits only."""
    window: ReplayWindow
    salt: int
    decrypt: AeadFunction

    def __init__(
        self,
        suite: CipherSuite,
        KID: int,
        base_key: bytes,
        *,
        epoch: int,
        window: ReplayWindow,
    ) -> None:
        key, salt = derive_key_salt(suite, KID, base_key)
        self.KID = KID
        self.epoch = epoch
        self.window = window
        self.salt = int.from_bytes(salt, "big")
        self.decrypt = suite.aead.cipher(key).decrypt

    def __repr__(self) -> str:
        return f"{type(self).__name__}(KID={self.KID:#x}, epoch={self.epoch})"


K = TypeVar("K", bound=ReceiveKey)


class ReceiveKeyStore(Generic[K]):
    """Receive keys by KID: at most one for each."""

    __slots__ = ("_by_kid", "get")

    get: Callable[[int], K | None]
    """The key of a KID, if there is one."""

    def __init__(self) -> None:
        self._by_kid: dict[int, K] = {}
        self.get = self._by_kid.get

    def add(self, key: K) -> None:
        """Keep ``key``. Raises KeyExists: a second key of a KID would have a replay window of its own."""
        if key.KID in self._by_kid:
            raise KeyExists(f"KID {key.KID:#x}")
        self._by_kid[key.KID] = key

    def erase(self, ended: Callable[[K], bool]) -> None:
        """Drop every key for which ``ended`` is true, and its replay window."""
        for KID in [KID for KID, key in self._by_kid.items() if ended(key)]:
            del self._by_kid[KID]

    def __iter__(self) -> Iterator[K]:
        return iter(self._by_kid.values())

    def __len__(self) -> int:
        return len(self._by_kid)
