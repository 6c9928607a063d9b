"""SFrame (RFC 9605), by its sections: the encryption of one encoded frame under one key of one sender.

    header            4.3        KID and CTR, in the one encoding each pair has
    cipher_suite      4.5        the registry as a table
    aes_ctr_hmac      4.5.1      the AEAD with short tags
    key_derivation    4.4.2      base_key and KID -> key and salt
    counter           9.1        gives each CTR once
    replay            9.3        refuses each CTR twice
    key_store         4.4.1      keys for sending and keys for receiving, which are different types
    encryption        4.4.3, 4.4.4
    ratchet           5.1        key ids and base keys of the sender key scheme
    mls               5.2        key ids and base keys of the MLS scheme

Nothing here knows a call, a codec or MLS itself: a base_key comes in as bytes.
"""
