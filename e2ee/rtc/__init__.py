"""Media over WebRTC: an asyncio shell around aiortc in which every frame is protected or not sent.

    peer         one connection of a one-to-one call: descriptions in, descriptions out
    publishing   in a group call, the one over which a member sends
    subscribing  and the one over which it receives, from a forwarding unit that nobody believes
    connection   what all of them have
    stream       one stream, which goes on when its connection is replaced
    outgoing     encoders that protect: the only way out of a frame
    incoming     jitter buffers that open: the only way in
    tracks       what is sent and received, as tracks that outlive what is behind them
    concealment  what stands in for lost sound
    connectivity whether anything comes from the peer
    route        which paths media may take
    description  what those descriptions may say
    observer     who may look at frames on their way
    sources      what to send: a test picture, a tone, a file
    capture      or what a camera, a microphone or a screen shows
    recorders    what was received, as a playable file
    loudspeaker  or played
    meters       and as figures, while it is received
    picture      the test picture
    measure      figures of pictures and sounds, as pure functions over arrays
    tap          what somebody between the two devices would have, and how little it is

Keys come from outside (``e2ee.media`` holds them); private names of aiortc are in ``e2ee.aiortc_seams``.
"""
