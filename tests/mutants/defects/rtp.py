"""What comes before a frame is opened, and what codecs do to it: most of what looked like attacks was this."""

from __future__ import annotations

from tests.mutants.defects.defect import Defect

__all__ = ["RTP"]

RECEIVING = "e2ee.aiortc_seams.receiving"

RTP = (
    Defect(
        "padding-in-the-frame",
        "RTP padding is taken for part of the frame",
        "Discord.Net #3262, disgo #593, davey #15, pycord #3386",
        RECEIVING,
        "return [ReassembledFrame(packet.payload,",
        "return [ReassembledFrame(packet.payload + bytes(packet.padding_size),",
    ),
    Defect(
        "padding-only",
        "a packet of padding alone is taken for a frame",
        "discord-ext-voice-recv #62 and its relatives",
        RECEIVING,
        "        if not packet.payload:\n            return []\n",
        "",
    ),
    Defect(
        "packet-twice",
        "a packet that comes again takes the place of the first",
        "aiortc's jitter buffer, in which a forged repetition displaces the frame",
        RECEIVING,
        "if there is not None and there.sequence_number == packet.sequence_number:",
        "if False:",
    ),
    Defect(
        "reserved-bit",
        "a reserved bit of VP8's payload descriptor is taken for part of PID",
        "aiortc, VpxPayloadDescriptor",
        "e2ee.aiortc_seams.payloads",
        "descriptor.partition_id & 0b111 == 0",
        "descriptor.partition_id == 0",
    ),
    Defect(
        "half-a-frame",
        "a frame that was joined in its middle is opened",
        "aiortc's jitter buffer; react-native-webrtc #88",
        "e2ee.rtc.incoming",
        "if not frame.whole:  # FRAME-22",
        "if False:",
    ),
    Defect(
        "no-emulation-prevention",
        "H.264: start codes in the ciphertext",
        "react-native-webrtc #88, PulseBeam #176: the tag is right, the bitstream is not",
        "e2ee.media.h264",
        'payload = _EMULATION.sub(b"\\0\\0\\3", zeros + sframe + _ENDING)',
        "payload = zeros + sframe + _ENDING",
    ),
    Defect(
        "trailing-zeros",
        "H.264: a tag that ends in zeros loses them",
        "splitters of Annex B drop zeros before a start code; DAVE tries 10 nonces",
        "e2ee.media.h264",
        '    units = [unit.rstrip(b"\\0") for unit in units]\n',
        "",
    ),
    Defect(
        "toc-in-clear",
        "the first byte of Opus stays clear",
        "LiveKit, Jitsi; Orange splits audio as if it were video `[R]`",
        "e2ee.media.opus",
        "CLEAR_LENGTH = (0,) * 256",
        "CLEAR_LENGTH = (1,) * 256",
    ),
)
