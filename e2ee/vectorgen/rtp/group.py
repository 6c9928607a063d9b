"""The group of RTP pipeline vectors, to which each module of this package adds its own."""

from __future__ import annotations

from e2ee.vectorgen.registry import Group

__all__ = ["pipeline"]

pipeline = Group(
    "rtp-pipeline",
    "One stream from the network to the opener, after `events`, at one time. `packets` come in this order: RTP as it is after SRTP,"
    " or SRTP with the keys of `rtp.srtp` (RFC 3711: this master key and salt, no key derivation rate, no MKI, ROC 0 at first)."
    " `frames` are those that are whole after all have come and nothing more will, in the order of their sequence numbers, whatever the"
    " order in which they were opened: each `opened`, or `refused` with the reason of FRAME-3. Most streams of video end with the first packet"
    " of a frame of which nothing else comes. `reassembled` is what is judged.",
)
