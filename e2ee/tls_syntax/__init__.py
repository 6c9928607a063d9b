"""The TLS presentation language as RFC 9420 Section 2.1 uses it, declared once and read in wire order.

A structure is a frozen class whose annotations are its fields, in wire order, each with the codec of its type:

    @struct
    class HPKECiphertext(Struct):
        kem_output: Opaque
        ciphertext: Opaque

Strategy: a codec is a pair of functions over a ``Reader`` and a ``bytearray``; ``@struct`` composes them when
the class is made, so nothing is looked up by name while decoding. Rules that hold for every declaration:

* what is read is exactly one encoding: lengths are minimal, enumerations known, presence octets 0 or 1, and a
  whole structure leaves no byte behind, so ``decode(x).encode() == x`` or ``decode(x)`` raises ``DecodeError``;
* what is written is read back equal: a value that its declared type cannot hold raises ``EncodeError``;
* a length is checked against what is left before anything is allocated, elements of vectors take at least one
  byte each, and an encoding has a largest size, so work and memory are linear in the input (at most about 60
  times its size, for vectors of one-byte structures: whoever faces the network passes a small ``max_size``);
* a structure never changes; what derives from ``EncodedOnce`` therefore keeps the bytes that it was read from, or that
  it was once written as;
* types cannot be recursive (a class exists only after its fields' types), and a declaration that is nested deeper
  than ``MAX_DEPTH``, selects by a field that is not before it, or names two codecs for one field is refused when
  it is made.

This module knows no message and no cryptography, and prints what it is given: a field that holds a secret takes
a codec whose value hides itself.
"""

from e2ee.tls_syntax.codec import (
    MAX_DEPTH,
    MAX_SIZE,
    Codec,
    EncodeError,
    EncodeReason,
    Reader,
    enum,
    fixed,
    nothing,
    opaque,
    optional,
    read_length,
    uint8,
    uint16,
    uint32,
    uint64,
    vector,
    write_length,
)
from e2ee.tls_syntax.structure import (
    EncodedOnce,
    Opaque,
    Struct,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    select,
    struct,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_SIZE",
    "Codec",
    "EncodeError",
    "EncodeReason",
    "EncodedOnce",
    "Opaque",
    "Reader",
    "Struct",
    "Uint8",
    "Uint16",
    "Uint32",
    "Uint64",
    "enum",
    "fixed",
    "nothing",
    "opaque",
    "optional",
    "read_length",
    "select",
    "struct",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "vector",
    "write_length",
]
