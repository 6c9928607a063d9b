"""The forwarding unit: takes what members publish and gives it to the others, without a key of any call (SFU-1).

    unit          what a forwarding unit does, whichever engine does it
    errors        what it refuses
    limits        how much it takes of one member, and in all
    statistics    what passed

Nothing here can hold a secret of a call: an import contract sees to it.
"""
