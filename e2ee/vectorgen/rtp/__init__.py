"""Vectors of the chapter Frame format, "From packets to frames": what comes from the network, and the frames that open.

packets    RTP packets, header extensions, VP8 descriptors and H.264 payloads, by the letter of their RFCs
srtp       the same for SRTP
way        the way of a sender's frames to one receiver
broken, extensions    what packets are made of in the cases
opus, vp8, vp9, h264  the cases
group      the group of vectors that all of them are in
"""

from __future__ import annotations

from e2ee.vectorgen.rtp import h264, opus, vp8, vp9
from e2ee.vectorgen.rtp.group import pipeline

__all__ = ["h264", "opus", "pipeline", "vp8", "vp9"]
