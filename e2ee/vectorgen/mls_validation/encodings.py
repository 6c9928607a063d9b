"""Vectors of RFC 9420, Sections 2.1 and 6: bytes that are no encoding of a message.

The changes are made on the way, after signature and tags. So an implementation which decodes too much and checks what
it encodes again finds good signatures and tags, and accepts a message that was changed.
"""

from __future__ import annotations

from collections.abc import Callable

from e2ee.errors import DecodeReason
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Remove
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.messages import Framing
from e2ee.vectorgen.mls_validation.groups import ALICE, CAROL, GROUP_ID
from e2ee.vectorgen.mls_validation.registry import Case, File, operation
from e2ee.vectorgen.mls_validation.states import bob_of_three

__all__ = ["FILE"]

process = operation("process")

MARK = b"authenticated"
"""authenticated_data, by which fields are found."""

Edit = Callable[[bytes, MLSMessage], bytes]


def edited(case: Case, edit: Edit | None) -> None:
    """Carol's commit, which removes Alice, changed on the way."""
    epoch = case.at(bob_of_three).epoch
    committing = Committing(Framing(authenticated_data=MARK))
    made = commit(case.forge, epoch, CAROL, Remove(ALICE), committing=committing)
    case.judge(made)
    if edit is not None:
        case.judge(edit(made.message.encode(), made.message))


@process.vector("RFC9420-6")
def well_made(case: Case) -> None:
    """Carol commits to remove Alice; authenticated_data is "authenticated"."""
    edited(case, None)


def replaced(old: bytes, new: bytes) -> Edit:
    """The one place of ``old`` in the message holds ``new``."""

    def edit(data: bytes, _: MLSMessage) -> bytes:
        if data.count(old) != 1:
            raise LookupError(f"{data.count(old)} places of {old.hex()}")
        return data.replace(old, new)

    return edit


def at(position: int, value: int) -> Edit:
    """Another value of one byte."""

    def edit(data: bytes, _: MLSMessage) -> bytes:
        return data[:position] + bytes([value]) + data[position + 1 :]

    return edit


def before_the_path(value: int) -> Edit:
    """The presence octet of the path has this value."""

    def edit(data: bytes, message: MLSMessage) -> bytes:
        path = message.body.content.content.path.encode()  # type: ignore[union-attr]  # a commit's
        return at(data.index(path) - 1, value)(data, message)

    return edit


LENGTH = bytes([len(MARK)])
SENDER = 4 + 1 + len(GROUP_ID) + 8
CONTENT_TYPE = SENDER + 5 + 1 + len(MARK)
PROPOSAL_OR_REF = CONTENT_TYPE + 2

EDITS: dict[str, tuple[str, str, DecodeReason, Edit]] = {
    "length-in-two-bytes": (
        "2.1.2",
        "The length of authenticated_data, which is 13, is written in two bytes.",
        DecodeReason.NON_MINIMAL_LENGTH,
        replaced(LENGTH + MARK, b"\x40" + LENGTH + MARK),
    ),
    "length-in-four-bytes": (
        "2.1.2",
        "The length of authenticated_data, which is 13, is written in four bytes.",
        DecodeReason.NON_MINIMAL_LENGTH,
        replaced(LENGTH + MARK, b"\x80\x00\x00" + LENGTH + MARK),
    ),
    "length-in-eight-bytes": (
        "2.1.2",
        "The length of authenticated_data begins with the prefix 11, as in QUIC.",
        DecodeReason.BAD_LENGTH,
        replaced(LENGTH + MARK, b"\xc0" + bytes(6) + LENGTH + MARK),
    ),
    "length-beyond-the-end": (
        "2.1.2",
        "The length of authenticated_data is 2^30 - 1.",
        DecodeReason.TRUNCATED,
        replaced(LENGTH + MARK, b"\xbf\xff\xff\xff" + MARK),
    ),
    "presence-of-two": (
        "2.1.1",
        "The presence octet of the path is 2.",
        DecodeReason.BAD_PRESENCE,
        before_the_path(2),
    ),
    "presence-of-255": (
        "2.1.1",
        "The presence octet of the path is 255.",
        DecodeReason.BAD_PRESENCE,
        before_the_path(255),
    ),
    "byte-after-the-end": (
        "6",
        "A byte follows the message.",
        DecodeReason.TRAILING_BYTES,
        lambda data, _: data + b"\x00",
    ),
    "last-byte-missing": (
        "6",
        "The last byte of the membership tag is missing.",
        DecodeReason.TRUNCATED,
        lambda data, _: data[:-1],
    ),
    "tag-missing": (
        "6",
        "The message ends where the length of the membership tag should be.",
        DecodeReason.TRUNCATED,
        lambda data, message: data[: -1 - len(message.body.membership_tag)],  # type: ignore[union-attr,arg-type]  # a member's
    ),
    "nothing": ("6", "There is no byte.", DecodeReason.TRUNCATED, lambda _, __: b""),
    "version-0": ("6", "version is reserved(0).", DecodeReason.UNKNOWN_VALUE, at(1, 0)),
    "version-2": ("6", "version is 2.", DecodeReason.UNKNOWN_VALUE, at(1, 2)),
    "wire-format-0": ("6", "wire_format is 0, reserved.", DecodeReason.UNKNOWN_VALUE, at(3, 0)),
    "wire-format-6": ("6", "wire_format is 6.", DecodeReason.UNKNOWN_VALUE, at(3, 6)),
    "sender-type-0": (
        "6",
        "sender_type is reserved(0).",
        DecodeReason.UNKNOWN_VALUE,
        at(SENDER, 0),
    ),
    "sender-type-5": ("6", "sender_type is 5.", DecodeReason.UNKNOWN_VALUE, at(SENDER, 5)),
    "content-type-0": (
        "6",
        "content_type is reserved(0).",
        DecodeReason.UNKNOWN_VALUE,
        at(CONTENT_TYPE, 0),
    ),
    "content-type-4": ("6", "content_type is 4.", DecodeReason.UNKNOWN_VALUE, at(CONTENT_TYPE, 4)),
    "proposal-or-ref-type-0": (
        "12.4",
        "The type of the one ProposalOrRef is reserved(0).",
        DecodeReason.UNKNOWN_VALUE,
        at(PROPOSAL_OR_REF, 0),
    ),
    "proposal-or-ref-type-3": (
        "12.4",
        "The type of the one ProposalOrRef is 3.",
        DecodeReason.UNKNOWN_VALUE,
        at(PROPOSAL_OR_REF, 3),
    ),
    "proposals-that-end-in-a-proposal": (
        "12.4",
        "The length of the vector of proposals is a byte less than its one proposal has.",
        DecodeReason.TRUNCATED,
        at(PROPOSAL_OR_REF - 1, 6),
    ),
}

for name, (section, comment, reason, edit) in EDITS.items():
    process.add(
        name,
        (f"RFC9420-{section}",),
        edited,
        edit,
        reason=reason,
        like="well-made",
        comment=comment,
    )

FILE = File(
    "encodings",
    "Encodings: RFC 9420, Sections 2.1 and 6. Changes that leave signatures and tags good for who decodes too much.",
    (process,),
)
