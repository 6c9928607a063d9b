"""One-to-one calls as a sans-IO core: from ringing to hanging up (spec chapter Calls).

``device.Device`` is the door: it owns an identity, KeyPackages and the calls. Nothing here does input or output: messages,
``now`` (Unix milliseconds) and an ``Entropy`` come in as arguments; messages, events and timers come out.
"""
