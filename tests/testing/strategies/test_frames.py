"""Frames, epochs and traces: what a sender protects, and what a receiver makes of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.media import limits
from e2ee.media.codecs import CODECS
from e2ee.media.encoded_frame import Codec, EncodedFrame, OpenedFrame
from e2ee.media.errors import BadFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.media.reasons import RejectReason
from e2ee.media.send_epochs import SendEpochs
from e2ee.testing.strategies import (
    Trace,
    base_keys,
    frame_epochs,
    frame_suites,
    frames,
    successions,
    traces,
    unprotectable_frames,
)
from e2ee.testing.strategies.traces import Applied, Arrived


@given(frames(), frame_epochs(own_leaf=3))
def test_a_frame_is_protected(frame: EncodedFrame, epoch: FrameEpoch) -> None:
    kind = min(CODECS[frame.codec].kinds)
    sending = SendEpochs()
    protector = sending.open_stream(frame.codec, kind)
    sending.install(epoch, 0)
    sending.handle_timer(limits.SEND_DEADLINE)
    assert protector.ready == (3 in epoch.speakers)
    if protector.ready:
        assert len(protector.protect(frame.data)) > len(frame.data)


@pytest.mark.parametrize("codec", Codec)
@given(data=st.data())
def test_every_codec_has_frames_and_what_are_none(codec: Codec, data: st.DataObject) -> None:
    assert data.draw(frames(codec)).codec is codec
    kind = min(CODECS[codec].kinds)
    sending = SendEpochs()
    protector = sending.open_stream(codec, kind)
    epoch = data.draw(frame_epochs().filter(lambda each: each.own_leaf in each.speakers))
    sending.install(epoch, 0)
    sending.handle_timer(limits.SEND_DEADLINE)
    with pytest.raises(BadFrame):
        protector.protect(data.draw(unprotectable_frames(codec)))


@given(st.data())
def test_base_keys_are_as_long_as_the_suite_says(data: st.DataObject) -> None:
    suite = data.draw(frame_suites())
    assert len(data.draw(base_keys(suite))) == suite.aead.Nk


@given(successions())
def test_epochs_follow_each_other(epochs: tuple[FrameEpoch, ...]) -> None:
    keys = FrameKeys()
    for epoch in epochs:
        keys.install(epoch, 0)
    for before, after in pairwise(epochs):
        assert after.roster == (before.roster - after.removed) | after.added


@given(traces())
def test_what_a_trace_sends_opens_once_or_is_refused_with_a_reason(trace: Trace) -> None:
    keys = FrameKeys()
    opener = FrameOpener(keys.receive)
    stream = IncomingStream(trace.codec, trace.kind)
    opened: set[tuple[int, int, int]] = set()
    assert isinstance(trace.events[0], Applied)
    for before, after in pairwise(trace.events):
        assert before.at <= after.at
    for event in trace.events:
        outcomes: list[OpenedFrame | Rejected | Held] = []
        if isinstance(event, Applied):
            keys.install(event.epoch, event.at)
            outcomes += (released.outcome for released in opener.release(event.at))
        else:
            outcomes.append(opener.open(stream, event.frame.data, event.at))
        for outcome in outcomes:
            if isinstance(outcome, OpenedFrame):
                name = (outcome.epoch, outcome.key_id.leaf_index, outcome.CTR)
                assert name not in opened
                opened.add(name)


@given(traces())
def test_a_trace_says_what_was_sent(trace: Trace) -> None:
    """Whoever has each epoch newly, and no other, opens each of its frames, but for what a leaf may not send."""
    epochs = {each.epoch.number: each.epoch for each in trace.events if isinstance(each, Applied)}
    for event in trace.events:
        if not isinstance(event, Arrived) or event.frame.epoch not in epochs:
            continue
        epoch, frame = epochs[event.frame.epoch], event.frame
        keys = FrameKeys()
        keys.install(epoch, 0)
        outcome = FrameOpener(keys.receive).open(
            IncomingStream(trace.codec, trace.kind), frame.data, 0
        )
        if isinstance(outcome, Rejected):
            own, mute = frame.leaf == trace.own_leaf, frame.leaf not in epoch.speakers
            expected = {RejectReason.UNKNOWN_KEY: own, RejectReason.NOT_A_SPEAKER: mute}
            removed = frame.leaf in epoch.removed
            assert expected.get(outcome.reason, removed)
            continue
        assert isinstance(outcome, OpenedFrame)
        assert (outcome.data, outcome.CTR) == (frame.plain, frame.CTR)
        assert (outcome.epoch, outcome.key_id.leaf_index) == (frame.epoch, frame.leaf)
