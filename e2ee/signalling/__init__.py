"""Signalling: the messages of the protocol and their one encoding (spec chapter Signalling).

``messages`` declares each message once, in the spec's order; ``wire`` turns them into bytes and back.
"""
