"""Traces of the chapter Frame keys: what one device sees of a call, step by step, and the fate of every frame.

    rules      what must become of each frame, by the sentences of the chapters: a model of one device
    script     how a trace is written
    transit, membership, lifetimes, sending    stories, each of which tells one thing
    walks      calls at random
    group      the group of vectors that all of them are in

What a story expects is written out, and checked against the model when the vectors are made; a walk is told by the model alone.
"""

from __future__ import annotations

from e2ee.vectorgen.traces import lifetimes, membership, sending, transit, walks
from e2ee.vectorgen.traces.group import trace

__all__ = ["lifetimes", "membership", "sending", "trace", "transit", "walks"]
