"""The adversary, as code: a delivery service, a network and members that do what the threat model says they may try.

    attack        what an attack is, and the table of all of them
    trial         one run of an attack, and its verdict
    run           runs one, with its defence or without
    catalogue     loads all attacks
    findings      what others found in their systems, and which of these attacks, or which sentence, answers it

    frames, frame_epochs,         whoever carries media, or listens: bytes, places, keys
    listeners
    directory, devices, ringing,  whoever runs the platform: who has which keys, who rings, who is in the group,
    log, commits,                 what is said, and what is left for the absent
    messages_on_their_way,
    letters, links
    members, former, strangers    the other party, a device that was in the call, anybody with an account
    group_entry, group_log,       a meeting: who comes in, its log, who may do what, what is said, its media; by the service,
    group_roles, group_messages,  by members, by those who were members
    group_media
    forwarding                    a real forwarding unit that lies, and one that is lied to
    sockets, group_sockets,       some of it again between real clients, over real WebSockets and real WebRTC
    media_path

An attack drives real objects: the call core, the service, the protector and the opener. What is simulated is time, and the
wires, which the adversary holds. ``e2ee attack`` runs them, and each can be run with its defence switched off, to be seen
to succeed: an attack that cannot succeed proves nothing.
"""
