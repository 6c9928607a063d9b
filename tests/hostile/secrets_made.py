"""Which secrets a scenario creates, seen where they are made, and the search for them in what was printed.

A secret is found whichever way it was printed: as it is, escaped, in hexadecimal, in base64 or as a list of numbers; 16
consecutive bytes of it are enough.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from unittest.mock import patch

import pylibsrtp
from aiortc import RTCCertificate

from e2ee.call.group.link import GroupLink
from e2ee.call.letter_sealing import commitment
from e2ee.crypto.eddsa import Ed25519
from e2ee.crypto.passphrase import SealingKey
from e2ee.crypto.secret import Secret
from e2ee.rtc.connection import MediaConnection
from e2ee.signalling import messages
from e2ee.signalling.messages import SealedMessage
from e2ee.signalling.wire import encode

__all__ = ["SecretsMade", "forms"]

WINDOW = 16
"""Consecutive bytes that give a secret away."""

_PIECE = WINDOW // 2

_DISTINCT = 8
"""A secret of fewer different bytes is a constant of the protocol, as the zeros in the place of a missing PSK."""


_NO_SECRETS = {"description", "group_call_id"}
"""Fields of what is sealed that are secret in part, or that others know anyway."""

_TOLD = 20
"""How many places are told at most."""

_LONGEST = 128
"""A longer one is put together, as what a store keeps of a KeyPackage, and has public parts; its secrets were noted before."""


class SecretsMade:
    """What ``recording`` saw."""

    def __init__(self) -> None:
        self._found: set[bytes] = set()
        self._public: set[bytes] = set()

    def note(self, secret: bytes | str) -> None:
        """A secret of the scenario, by whatever way it became known."""
        data = secret.encode() if isinstance(secret, str) else bytes(secret)
        if len(data) >= WINDOW and len(set(data)) >= _DISTINCT:
            self._found.add(data)

    def dump(self) -> list[str]:
        """What was noted, a line each, for ``load`` in another process."""
        return [*(each.hex() for each in self._found), *(f"={each.hex()}" for each in self._public)]

    def load(self, lines: Iterable[str]) -> None:
        """Take what another process noted."""
        for line in lines:
            known = self._public if line.startswith("=") else self._found
            known.add(bytes.fromhex(line.removeprefix("=")))

    def __len__(self) -> int:
        return len(self._found)

    @contextlib.contextmanager
    def recording(self) -> Iterator[SecretsMade]:
        """While the block lasts: every ``Secret``, everything said in a call or letter, passphrases, ICE passwords, keys of DTLS and SRTP."""
        with contextlib.ExitStack() as stack:
            for each in (
                self._secrets(),
                self._public_keys(),
                self._sealed_messages(),
                self._passphrases(),
                self._descriptions(),
                self._transport_keys(),
            ):
                stack.enter_context(each)
            yield self

    @contextlib.contextmanager
    def _secrets(self) -> Iterator[None]:
        def new(cls: type[Secret], *args: bytes) -> Secret:
            made = bytes.__new__(cls, *args)
            if len(made) <= _LONGEST:
                self.note(bytes(made))
            return made

        Secret.__new__ = new  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            del Secret.__new__

    @contextlib.contextmanager
    def _public_keys(self) -> Iterator[None]:
        """libsodium's Ed25519 private keys end with the public ones; a letter shows its commitment, and a call's profile the name
        of its link, made as keys are."""
        key_pair, psk_id = Ed25519._key_pair, vars(GroupLink)["psk_id"].fget

        def noted(scheme: Ed25519, private: bytes) -> tuple[bytes, Secret]:
            public, expanded = key_pair(scheme, private)
            self._public.add(bytes(public))
            return public, expanded

        def noted_commitment(content_key: Secret) -> bytes:
            shown = commitment(content_key)
            self._public.add(shown)
            return shown

        def noted_name(link: GroupLink) -> bytes:
            name: bytes = psk_id(link)
            self._public.add(name)
            return name

        with (
            patch.object(GroupLink, "psk_id", property(noted_name)),
            patch.object(Ed25519, "_key_pair", noted),
            patch("e2ee.call.letter_sealing.commitment", noted_commitment),
        ):
            yield

    @contextlib.contextmanager
    def _sealed_messages(self) -> Iterator[None]:
        made = encode

        def noted(message: messages.Message) -> bytes:
            data = made(message)
            if isinstance(message, SealedMessage):
                for name, _ in message.checks:
                    value = getattr(message, name)
                    # of a description the passwords are secret; a CNAME is in every RTCP report
                    if isinstance(value, str | bytes) and name not in _NO_SECRETS:
                        self.note(value)
            return data

        with contextlib.ExitStack() as stack:
            for module in ("epochs", "actions", "letters"):
                stack.enter_context(patch(f"e2ee.call.{module}.encode", noted))
            yield

    @contextlib.contextmanager
    def _passphrases(self) -> Iterator[None]:
        of = SealingKey.of

        def noted(_: type[SealingKey], passphrase: str, *rest: Any) -> SealingKey:
            self.note(passphrase)
            return of(passphrase, *rest)

        with patch.object(SealingKey, "of", classmethod(noted)):
            yield

    @contextlib.contextmanager
    def _descriptions(self) -> Iterator[None]:
        describe = MediaConnection._describe

        async def noted(connection: MediaConnection, *args: object) -> str:
            text: str = await describe(connection, *args)  # type: ignore[arg-type]
            for password in re.findall(r"a=ice-pwd:(\S+)", text):
                self.note(password)
            return text

        with patch.object(MediaConnection, "_describe", noted):
            yield

    @contextlib.contextmanager
    def _transport_keys(self) -> Iterator[None]:
        made = self
        generate = RTCCertificate.generateCertificate

        class NotedPolicy(pylibsrtp.Policy):
            def __init__(self, key: bytes | None = None, **options: Any) -> None:
                made.note(key or b"")
                super().__init__(key, **options)

        def noted_certificate(_: type[RTCCertificate]) -> RTCCertificate:
            certificate = generate()
            key = certificate._key.private_numbers().private_value
            self.note(key.to_bytes(32, "big"))
            return certificate

        with (
            patch("aiortc.rtcdtlstransport.Policy", NotedPolicy),
            patch.object(RTCCertificate, "generateCertificate", classmethod(noted_certificate)),
        ):
            yield

    # The search

    def leaked_in(self, output: str) -> list[str]:
        """Where a secret stands in ``output``, in whichever form: what stands before it. The first places only."""
        pieces = {
            secret[at : at + _PIECE]: secret
            for secret in self._found
            for at in range(0, len(secret) - _PIECE + 1, _PIECE)
        }
        for public in self._public:
            for at in range(len(public) - _PIECE + 1):
                pieces.pop(public[at : at + _PIECE], None)
        found = (
            f"{form}: ...{_around(data, at)!r}..."
            for form, data in forms(output)
            for at in _places(data, pieces)
        )
        return list(islice(found, _TOLD))


def _places(data: bytes, pieces: dict[bytes, bytes]) -> Iterator[int]:
    """Where 16 bytes of a secret stand in ``data``: around one of its aligned pieces, beginning at it or before."""
    for at in range(len(data) - _PIECE + 1):
        secret = pieces.get(data[at : at + _PIECE])
        if secret is not None:
            starts = range(max(0, at + _PIECE - WINDOW), at + 1)
            windows = [data[start : start + WINDOW] for start in starts]
            if any(len(window) == WINDOW and window in secret for window in windows):
                yield at


def _around(data: bytes, at: int) -> bytes:
    return data[max(0, at - 40) : at] + b"[SECRET]"


_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :,_-]?){16,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{22,}")
_NUMBERS = re.compile(r"\d{1,3}(?:, ?\d{1,3}){15,}")
_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})|\\([nrt0\\'\"])")
_SHORT = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", "'": "'", '"': '"'}


def forms(output: str) -> Iterator[tuple[str, bytes]]:
    """All the bytes that ``output`` may stand for, and how."""
    yield "as text", output.encode(errors="replace")
    yield "as bytes", output.encode("latin-1", errors="replace")
    yield "escaped", _ESCAPE.sub(_unescaped, output).encode("latin-1", errors="replace")
    for run in _HEX.findall(output):
        digits = re.sub(r"[ :,_-]", "", run)
        for start in (0, 1):
            even = digits[start : start + (len(digits) - start) // 2 * 2]
            yield "hex", bytes.fromhex(even)
    for run in _BASE64.findall(output):
        text = run.replace("-", "+").replace("_", "/")
        for start in range(4):
            whole = text[start : start + (len(text) - start) // 4 * 4]
            rest = text[start + len(whole) :]
            padded = whole + (rest + "=" * (4 - len(rest)) if len(rest) > 1 else "")
            with contextlib.suppress(binascii.Error):
                yield "base64", base64.b64decode(padded)
    for run in _NUMBERS.findall(output):
        numbers = [int(number) for number in run.split(",")]
        if max(numbers) < 256:
            yield "numbers", bytes(numbers)


def _unescaped(match: re.Match[str]) -> str:
    hexadecimal, short = match.groups()
    return chr(int(hexadecimal, 16)) if hexadecimal else _SHORT[short]
