"""Two members of a DAVE group, driven against each other without Discord.

DAVE's group begins with an external sender that proposes to add members (RFC 9420 Section 12.1.8); Discord's voice
gateway is it. Here the benchmark plays that part: it signs one Add of the second member, the first member commits, and
both sessions are ready.
"""

from __future__ import annotations

import davey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from e2ee.tls_syntax import write_length

SENDER, RECEIVER, CHANNEL = 1, 2, 3


def ready_sessions() -> tuple[davey.DaveSession, davey.DaveSession]:
    gateway = ec.generate_private_key(ec.SECP256R1())
    public = gateway.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    external_sender = opaque(public) + u16(1) + opaque(b"gateway")
    sender, receiver = (davey.DaveSession(1, user, CHANNEL) for user in (SENDER, RECEIVER))
    for session in (sender, receiver):
        session.set_external_sender(external_sender)
    sender.get_serialized_key_package()
    add = add_proposal(gateway, receiver.get_serialized_key_package())
    made = sender.process_proposals(
        davey.ProposalsOperationType.append, opaque(add), [SENDER, RECEIVER]
    )
    assert made is not None
    assert made.welcome is not None
    sender.process_commit(made.commit)
    receiver.process_welcome(made.welcome)
    assert sender.ready
    assert receiver.ready
    return sender, receiver


def add_proposal(gateway: ec.EllipticCurvePrivateKey, key_package: bytes) -> bytes:
    """MLSMessage(PublicMessage(Proposal(Add))) from external sender 0, in epoch 0 (RFC 9420 Section 6)."""
    mls10, public_message, external, proposal, add = u16(1), u16(1), b"\x02", b"\x02", u16(1)
    content = (
        opaque(CHANNEL.to_bytes(8, "big"))  # group_id
        + bytes(8)  # epoch
        + external
        + bytes(4)  # sender_index
        + opaque(b"")  # authenticated_data
        + proposal
        + add
        + key_package
    )
    signed = opaque(b"MLS 1.0 FramedContentTBS") + opaque(mls10 + public_message + content)
    return mls10 + public_message + content + opaque(gateway.sign(signed, ec.ECDSA(SHA256())))


def opaque(data: bytes) -> bytes:
    out = bytearray()
    write_length(len(data), out)
    return bytes(out) + data


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")
