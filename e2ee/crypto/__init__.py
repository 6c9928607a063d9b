"""The primitives, behind one interface: the only package that knows which library computes them.

    secret          bytes that do not show          entropy          where randomness comes from (an argument)
    kdf             hash, HMAC, HKDF                system_entropy   the operating system's, for use
    aead            AES-GCM, ChaCha20, AES-CTR      seeded_entropy   a reproducible one, for tests and vectors
    eddsa, ecdsa    signatures, in one strict form  errors           what is refused, and who erred
    nist_curve, dh_group, kem, hybrid_kem, hpke     public-key encryption (RFC 9180) and the post-quantum hybrid
    signature, cipher_suite                         the tables that tie them into MLS cipher suites

Rules: no state is kept between calls, nothing is read from the outside, keys come back as ``Secret``, lengths that
a peer chose are refused with a ``RemoteProtocolError`` and lengths that the caller chose with a ``LocalProtocolError``.
Arithmetic is never ours: libsodium has Curve25519, OpenSSL (through cryptography) has the other curves, AES, HKDF and
ML-KEM, the standard library has hashes. What those leave open (which encodings of a signature count, which public keys
agree no secret) is decided here, so that it does not depend on the library's version.
"""
