"""Frames: what passes without authentication, what a tag does not cover, which key opens, how often."""

from __future__ import annotations

from tests.mutants.defects.defect import Defect

__all__ = ["FRAMES"]

OPENER = "e2ee.media.opener"

FRAMES = (
    Defect(
        "passthrough",
        "a frame without a valid header goes to the decoder as it came",
        "LiveKit FrameCryptor.ts, Stream #1801, DAVE version 0, Jitsi",
        OPENER,
        "return _reject(stream, RejectReason.BAD_HEADER)",
        "return OpenedFrame(stream.codec, came, KeyId(stream.kind, 0, 0, 2), 2, 0)",
    ),
    Defect(
        "ciphertext-decoded",
        "a frame whose tag is wrong goes to the decoder",
        "element-call #4241, jitsi-meet #8240",
        OPENER,
        "            return _reject(stream, RejectReason.NOT_AUTHENTIC)",
        "            rest = data[end:]",
    ),
    Defect(
        "silence-in-clear",
        "Opus silence (F8 FF FE) passes unprotected",
        "DAVE protocol, silence frames; LiveKit, server-injected frames",
        OPENER,
        "        came = data\n",
        "        came = data\n"
        '        if data == b"\\xf8\\xff\\xfe":\n'
        "            return OpenedFrame(stream.codec, data, KeyId(stream.kind, 0, 0, 2), 2, 0)\n",
    ),
    Defect(
        "replay",
        "a frame opens as often as the server sends it",
        "RingRTC, LiveKit, Jitsi: no window; Trail of Bits, DAVE code review, 6",
        OPENER,
        "if not key.window.is_new(CTR):  # FRAME-9",
        "if False:",
    ),
    Defect(
        "window-before-tag",
        "a forged counter moves the window before the tag is looked at",
        "Threema group calls: state changed before authentication `[R]`",
        OPENER,
        "        clear = data[:start]\n        try:\n",
        "        clear = data[:start]\n        key.window.accept(CTR)\n        try:\n",
    ),
    Defect(
        "failure-tolerance",
        "after ten frames that do not open the key is thrown away",
        "LiveKit, failureTolerance `[R]`",
        OPENER,
        "        except OpenError:\n",
        "        except OpenError:\n"
        "            if stream.rejected.get(RejectReason.NOT_AUTHENTIC, 0) >= 9:\n"
        "                self._epochs.erase()\n",
    ),
    Defect(
        "clear-bytes-not-covered",
        "bytes that stay clear are not authenticated",
        "Trail of Bits, DAVE design review, 11, and code review, 7; Orange Meets",
        OPENER,
        "data[start:end] + clear",
        "data[start:end]",
    ),
    Defect(
        "header-not-covered",
        "the header beside the nonce is not authenticated",
        "RingRTC: the ratchet counter is not under the MAC `[R]`",
        "e2ee.sframe.encryption",
        "return aead_decrypt(nonce, ciphertext, aad)",
        "return aead_decrypt(nonce, ciphertext, aad[:0])",
    ),
    Defect(
        "trial-decryption",
        "a frame whose epoch is not known is tried with the newest key",
        "Trail of Bits, DAVE code review, 5: equivocation; Jitsi, LiveKit: ratcheting by trial",
        "e2ee.media.receive_epochs",
        "        if self._was_removed(key_id.leaf_index, slot):\n            return RejectReason.REMOVED\n",
        "        if self._was_removed(key_id.leaf_index, slot):\n            return RejectReason.REMOVED\n"
        "        if slot is None and self._slots:\n            slot = self._slots[_low_bits(self._newest)]\n",
    ),
    Defect(
        "removed-still-heard",
        "frames of a removed member open until the epoch ends",
        "Trail of Bits, DAVE design review, 6",
        "e2ee.media.receive_epochs",
        "        if self._is_gone(leaf_index):\n            return True\n        return slot",
        "        return False and slot",
    ),
    Defect(
        "old-keys-stay",
        "keys of earlier epochs open for good",
        "Jitsi, LiveKit, Wire: a ring of keys that are only overwritten",
        "e2ee.media.limits",
        "EARLIER_EPOCHS = 10_000 ",
        "EARLIER_EPOCHS = 1 << 40 ",
    ),
    Defect(
        "short-tags",
        "a suite with a tag of 4, 8 or 10 bytes is taken",
        "RFC 9605, Section 7.5; Isobe, Ito, Minematsu, ESORICS 2021; Trail of Bits, DAVE, Appendix B",
        "e2ee.media.limits",
        "SUITES = frozenset({0x0004, 0x0005})",
        "SUITES = frozenset(range(1, 9))",
    ),
    Defect(
        "kdf-without-separation",
        "key and salt come from one label",
        "LiveKit: the key is the beginning of the next chain key `[R]`",
        "e2ee.sframe.key_derivation",
        'return b"SFrame 1.0 Secret salt " +',
        'return b"SFrame 1.0 Secret key " +',
    ),
    Defect(
        "endianness",
        "the KID goes into the key's label the other way round",
        "DAVE protocol 1.1.1, libdave #3",
        "e2ee.sframe.key_derivation",
        'KID.to_bytes(8, "big")',
        'KID.to_bytes(8, "little")',
    ),
    Defect(
        "one-key-for-all",
        "all senders of an epoch have one key",
        "Wire: one media key, public IV base `[R]`",
        "e2ee.sframe.key_derivation",
        'KID.to_bytes(8, "big") +',
        '(KID & 15).to_bytes(8, "big") +',
    ),
    Defect(
        "counter-begins-again",
        "a stream that is opened again in an epoch counts from 0",
        "Wire: nonces used twice after a restart `[R]`; Threema never resets",
        "e2ee.media.send_epochs",
        "key = self._keys.get((kind, instance))",
        "key = None",
    ),
    Defect(
        "counter-wraps",
        "the counter goes on at its limit",
        "DAVE protocol, Key Rotation: the counter's wrap",
        "e2ee.media.limits",
        "COUNTER_LIMIT = 1 << 24 ",
        "COUNTER_LIMIT = 1 << 32 ",
    ),
    Defect(
        "longer-forms",
        "a number in a header may be longer than it needs to be",
        "Trail of Bits, DAVE code review, 1 and 2: ranges and varints",
        "e2ee.sframe.header",
        "*(_Nibble(length, 0, 1 << 8 * (length - 1)) for length in range(2, 9)),",
        "*(_Nibble(length, 0, 0) for length in range(2, 9)),",
    ),
)
