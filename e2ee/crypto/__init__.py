"""The primitives, behind one interface: the only package that knows which library computes them.

    secret          bytes that do not show          entropy          where randomness comes from (an argument)
    kdf             hash, HMAC, HKDF                system_entropy   the operating system's, for use
    aead            AES-GCM, ChaCha20, AES-CTR      seeded_entropy   a reproducible one, for tests and vectors
    signature       Ed25519, strict                 errors           what is refused, and who erred
    dh_group, kem, hybrid_kem, hpke                 public-key encryption (RFC 9180) and the post-quantum hybrid
    cipher_suite    the table that ties them into MLS cipher suites

Rules: no state is kept between calls, nothing is read from the outside, keys come back as ``Secret``, lengths that
a peer chose are refused with a ``RemoteProtocolError`` and lengths that the caller chose with a ``LocalProtocolError``.
Arithmetic is never ours: libsodium has the curves, OpenSSL (through cryptography) has AES, HKDF and ML-KEM, the
standard library has hashes. What those leave open (which encodings of a signature count, which public keys agree
no secret) is decided here, so that it does not depend on the library's version.
"""
