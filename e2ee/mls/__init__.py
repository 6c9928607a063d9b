"""Messaging Layer Security (RFC 9420): how the members of a call agree on keys.

One noun of the RFC a file, in two halves. The public half (``errors`` to ``public_group``) knows everything that can
be checked without a group secret, so a delivery service may import it; the secret half (``key_schedule`` to
``group``) holds keys. The public half never imports the secret one.
"""
