"""The group of traces, to which each module of this package adds its own."""

from __future__ import annotations

from e2ee.vectorgen.registry import Group

__all__ = ["trace"]

trace = Group(
    "trace",
    "One device over time. `receives` and `sends` are its streams, named in `steps` by their position from 0; a"
    " null in a stream was not announced. Steps happen in this order, at `at` in milliseconds; what falls due until then"
    " comes before the step, at any time before it. Events: `applied` (an epoch, as in the group receiving); `frame` (one"
    " comes on a stream; with `zeros`, so many bytes 0 follow those of `frame`); `heard` (a message of the member authenticates in the epoch); `acknowledged` (the same,"
    " of its `alive`, which says that it has applied the epoch); `time` (nothing happens); `send` (the encoder has made"
    " `frame`, or `key_frame` if it was told to make one); `reopened` (the stream that is sent ended, and one of the"
    " same kind and instance follows it). `fates` is what becomes of each frame that came or was to be sent, in the order"
    " in which it is settled: `opened`, `refused`, `held`, `sent`, `not-sent`; `settled_in` is the step in which that"
    " happens to a frame that was held, which is in `fates` twice. A `sent` frame has `key_frame` true if a key frame was due.",
)
