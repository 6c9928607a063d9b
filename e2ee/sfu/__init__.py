"""The forwarding unit: takes what members publish and gives it to the others, without a key of any call (SFU-1).

    unit          what a forwarding unit does, whichever engine does it
    aiortc_unit   the engine of this package: who is in which call, and whose streams go to whom
    publisher     what one member publishes
    subscriber    what one member gets, and the offers of it
    connection    one connection of a member, which aiortc makes
    source        one stream that comes in
    sink          one stream that goes out
    sequence      which packets are new, and which are missing
    rtp           what is read of a packet
    bandwidth     what a member's path carries, and what is held back
    description   what members' descriptions may say
    errors        what is refused
    limits        how much is taken of one member, and in all
    statistics    what passed

Packets pass in the callback of the socket that they come to: no queue, no task, no copy for each receiver but the one that
SRTP makes. Nothing here can hold a secret of a call: an import contract sees to it.
"""
