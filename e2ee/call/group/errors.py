"""Why a group call refused something, beside what every call refuses (``e2ee.call.errors``, whose classes are raised)."""

from __future__ import annotations

from e2ee.errors import Reason

__all__ = ["GroupReason"]


class GroupReason(Reason):
    """The rules of the chapter Group calls that a message or an application can break."""

    # requests to join, GROUP-9
    NOT_FOR_THIS_CALL = "NOT_FOR_THIS_CALL"
    JOIN_TOO_OLD = "JOIN_TOO_OLD"
    JOIN_FROM_THE_FUTURE = "JOIN_FROM_THE_FUTURE"
    JOIN_ALREADY_USED = "JOIN_ALREADY_USED"
    NOT_ATTESTED = "NOT_ATTESTED"
    NOT_ADMITTED = "NOT_ADMITTED"
    BANNED = "BANNED"
    WRONG_LINK_PROOF = "WRONG_LINK_PROOF"
    LINK_UNKNOWN = "LINK_UNKNOWN"
    TOO_MANY_WAIT = "TOO_MANY_WAIT"
    CANNOT_BE_HAD = "CANNOT_BE_HAD"  # what a host wants, and no commit can bring

    # Welcomes, GROUP-11
    NOT_ASKED_FOR = "NOT_ASKED_FOR"
    WRONG_LINK = "WRONG_LINK"
    HOST_NOT_THERE = "HOST_NOT_THERE"
    BAD_TREE_PART = "BAD_TREE_PART"

    # in the call
    NOT_A_HOST = "NOT_A_HOST"  # GROUP-13, GROUP-14
    NOT_A_SPEAKER = "NOT_A_SPEAKER"
    NOT_INVITED = "NOT_INVITED"  # GROUP-13
    NO_SUCH_MEMBER = "NO_SUCH_MEMBER"
    BAD_STREAMS = "BAD_STREAMS"  # GROUP-18
    NOT_SAID_IN_GROUPS = "NOT_SAID_IN_GROUPS"
    HAS_LEFT = "HAS_LEFT"  # GROUP-16
    STALE_STATEMENT = "STALE_STATEMENT"  # KEYS-24
    NOT_THIS_EPOCH = "NOT_THIS_EPOCH"  # GROUP-20
    BAD_OFFER = "BAD_OFFER"  # SFU-2
    STALE_OFFER = "STALE_OFFER"  # SFU-4

    # the application
    BAD_PROFILE = "BAD_PROFILE"  # KEYS-19
    NOBODY_KNOCKED = "NOBODY_KNOCKED"
    NOT_ONESELF = "NOT_ONESELF"
    LAST_HOST = "LAST_HOST"
    IS_A_HOST = "IS_A_HOST"
    NO_LINK = "NO_LINK"
    ALREADY_IN_CALL = "ALREADY_IN_CALL"
