"""The adversary, as code: a delivery service, a network and members that do what the threat model says they may try.

    attack        what an attack is, and the table of all of them
    trial         one run of an attack, and its verdict
    run           runs one, with its defence or without
    catalogue     loads all attacks

    frames, frame_epochs          whoever carries media: bytes, places, keys
    directory, devices, ringing,  whoever runs the platform: who has which keys, who rings, who is in the group,
    log, commits,                 what is said, and what is left for the absent
    messages_on_their_way,
    letters, links
    members, former, strangers    the other party, a device that was in the call, anybody with an account
    sockets, media_path           some of it again between real clients, over real WebSockets and real WebRTC

An attack drives real objects: the call core, the service, the protector and the opener. What is simulated is time, and the
wires, which the adversary holds. ``e2ee attack`` runs them, and each can be run with its defence switched off, to be seen
to succeed: an attack that cannot succeed proves nothing.
"""
