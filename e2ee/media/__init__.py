"""Protected frames: what happens between an encoder and a packetiser, and between a depacketiser and a decoder.

    encoded_frame     what encoders make and decoders take; kinds of stream, codecs
    opus, vp8, vp9    which bytes of a frame stay clear (spec chapter Codecs)
    h264              the same, and what keeps packetisers from the rest
    codecs            the table of them
    sframe_rtp        the other binding: a protected frame in payloads of its own format, of which nothing is clear
    protector         frame -> protected frame
    opener            protected frame -> frame, or the reason why not (spec chapter Frame format)
    reasons           the reasons
    held_frames       frames that came before their key
    frame_epoch       what an MLS epoch brings for frames
    send_epochs       which epoch is sent with, from when on (spec chapter Frame keys)
    receive_epochs    which epochs open frames, until when
    frame_keys        both together
    limits            the numbers of these chapters, in one table

There is no unencrypted mode, no second try with another key, and no way around a check.
"""
