"""What the unit reads of a packet."""

from __future__ import annotations

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from e2ee.session_description import ABS_SEND_TIME
from e2ee.sfu.rtp import abs_send_time, begins_vp8_key_frame, payload_of, send_time

KEY, DELTA = b"\x10", b"\x11"  # the first bytes of frames: bit 0 tells them apart


def descriptor(**fields: int | tuple[int, int]) -> bytes:
    return bytes(VpxPayloadDescriptor(**{"partition_start": 1, "partition_id": 0} | fields))  # type: ignore[arg-type]


def extensions(extension_id: int = 3) -> HeaderExtensionsMap:
    ids = HeaderExtensionsMap()
    ids.configure(
        RTCRtpParameters(
            headerExtensions=[
                RTCRtpHeaderExtensionParameters(id=extension_id, uri=ABS_SEND_TIME),
                RTCRtpHeaderExtensionParameters(id=1, uri="urn:ietf:params:rtp-hdrext:sdes:mid"),
            ]
        )
    )
    return ids


def packet(
    payload: bytes = b"payload", *, mid: str | None = None, time: int | None = None
) -> bytes:
    made = RtpPacket(97, 1, 7, 9, 11, payload)
    made.extensions.mid, made.extensions.abs_send_time = mid, time
    return made.serialize(extensions())


@pytest.mark.requirement("SFU-1")
@given(payload=st.binary(min_size=1, max_size=1_300), mid=st.none() | st.just("3"))
def test_the_payload_is_what_was_sent(payload: bytes, mid: str | None) -> None:
    assert payload_of(packet(payload, mid=mid, time=5)) == (0, payload)
    csrc = RtpPacket(97, payload=payload)
    csrc.csrc = [1, 2, 3]
    assert payload_of(csrc.serialize()) == (0, payload)


def test_padding_stays_where_it_is() -> None:
    padded = RtpPacket(97, payload=b"frame")
    padded.padding_size = 4
    flags, payload = payload_of(padded.serialize()) or (0, b"")
    assert flags == 0x20
    assert payload.startswith(b"frame")
    assert payload.endswith(b"\x04")
    assert len(payload) == 9


@given(st.binary(max_size=40))
def test_what_is_no_packet_is_none(tail: bytes) -> None:
    """Whatever comes after the first byte: a payload that is there, or None."""
    for first in range(0x80, 0xC0):
        data = bytes([first]) + bytes(11) + tail
        body = payload_of(data)
        assert body is None or (body[1] and data.endswith(body[1]))
        assert abs_send_time(data, 3) is None or first & 0x10


@given(time=st.integers(0, (1 << 24) - 1), mid=st.none() | st.text("abc", min_size=1, max_size=9))
def test_the_time_of_sending_is_read_and_written(time: int, mid: str | None) -> None:
    assert abs_send_time(packet(mid=mid, time=time), 3) == time
    assert abs_send_time(packet(mid=mid, time=time), 4) is None
    assert abs_send_time(packet(mid=mid), 3) is None
    data = packet()
    written = bytes([data[0] | 0x10]) + data[1:12] + send_time(3, time) + data[12:]
    parsed = RtpPacket.parse(written, extensions())
    assert parsed.extensions.abs_send_time == time
    assert parsed.payload == b"payload"


@pytest.mark.requirement("SFU-6")
@given(
    picture_id=st.none() | st.integers(0, (1 << 15) - 1),
    tl0picidx=st.none() | st.integers(0, 255),
    tid=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 1)),
    keyidx=st.none() | st.integers(0, 31),
)
def test_a_key_frame_is_known_by_its_one_clear_bit(
    picture_id: int | None,
    tl0picidx: int | None,
    tid: tuple[int, int] | None,
    keyidx: int | None,
) -> None:
    fields = {"picture_id": picture_id, "tl0picidx": tl0picidx, "tid": tid, "keyidx": keyidx}
    made = {name: value for name, value in fields.items() if value is not None}
    assert begins_vp8_key_frame(descriptor(**made) + KEY)
    assert not begins_vp8_key_frame(descriptor(**made) + DELTA)
    assert not begins_vp8_key_frame(descriptor(**made, partition_start=0) + KEY)
    assert not begins_vp8_key_frame(descriptor(**made, partition_id=1) + KEY)
    assert not begins_vp8_key_frame(descriptor(**made))


@given(st.binary(max_size=12))
def test_any_bytes_begin_a_key_frame_or_do_not(payload: bytes) -> None:
    assert begins_vp8_key_frame(payload) in (True, False)
