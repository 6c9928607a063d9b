"""Why a call refused something.

    RemoteProtocolError
      CallRefused        a message that this call, in this state, does not allow; nothing changed
    LocalProtocolError
      CallUsageError     the application asked for something that this call cannot do now; nothing changed

Refusals of the layers below (a tag that does not verify, an illegal commit, bytes that are no message) pass through as
they are, with those layers' reasons.
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason, RemoteProtocolError

__all__ = ["CallReason", "CallRefused", "CallUsageError"]


class CallReason(Reason):
    """The rules of the chapter Calls that a message or an application can break."""

    # any message
    UNKNOWN_CALL = "UNKNOWN_CALL"
    CALL_ENDED = "CALL_ENDED"  # CALL-13
    NOT_IN_THIS_STATE = "NOT_IN_THIS_STATE"  # CALL-15
    UNEXPECTED_ANSWER = "UNEXPECTED_ANSWER"  # the service answers what was not asked

    # invitations
    OFFER_TOO_OLD = "OFFER_TOO_OLD"  # CALL-3
    OFFER_FROM_THE_FUTURE = "OFFER_FROM_THE_FUTURE"  # CALL-3
    CALL_ALREADY_SEEN = "CALL_ALREADY_SEEN"  # CALL-3
    NOT_AN_OFFER = "NOT_AN_OFFER"  # CALL-3, GROUP-4
    BAD_GROUP_OFFER = "BAD_GROUP_OFFER"  # GROUP-5
    WRONG_CALL_ID = "WRONG_CALL_ID"  # CALL-1
    NOT_IN_EPOCH_1 = "NOT_IN_EPOCH_1"  # CALL-4
    NOT_FROM_THE_CALLER = "NOT_FROM_THE_CALLER"  # CALL-4
    WRONG_MEMBERS = "WRONG_MEMBERS"  # CALL-4
    NO_SUCH_KEY_PACKAGE = "NO_SUCH_KEY_PACKAGE"
    UNKNOWN_MEDIUM = "UNKNOWN_MEDIUM"  # CALL-3
    MAY_NOT_RING = "MAY_NOT_RING"  # CALL-22

    # devices to invite
    NO_DEVICE = "NO_DEVICE"
    WRONG_ACCOUNT = "WRONG_ACCOUNT"  # CALL-2
    DEVICE_TWICE = "DEVICE_TWICE"  # IDENT-11

    # in a group
    NOT_A_COMMIT = "NOT_A_COMMIT"  # an entry of the log, or application data, of another kind
    NOT_APPLICATION_DATA = "NOT_APPLICATION_DATA"
    WRONG_WIRE_FORMAT = "WRONG_WIRE_FORMAT"  # KEYS-5
    EPOCH_NOT_KEPT = "EPOCH_NOT_KEPT"  # CALL-12: too old, or not yet applied
    SENDER_REMOVED = "SENDER_REMOVED"  # CALL-12
    WRONG_LINK_PROOF = "WRONG_LINK_PROOF"  # GROUP-12
    NOT_IN_THIS_CALL = "NOT_IN_THIS_CALL"  # a call message of another kind of call
    WRONG_EPOCH = "WRONG_EPOCH"  # a call message that belongs to another epoch
    WRONG_SENDER = "WRONG_SENDER"  # a call message that this member does not send
    UNKNOWN_HANGUP_REASON = "UNKNOWN_HANGUP_REASON"  # CALL-20
    BAD_TEXT = "BAD_TEXT"  # CALL-20
    UNEXPECTED_DESCRIPTION = "UNEXPECTED_DESCRIPTION"  # GROUP-4
    STALE_CONNECTION = "STALE_CONNECTION"  # CALL-28

    # the application
    NO_GROUP = "NO_GROUP"  # not yet, or no longer
    IDENTITY_CHANGED = "IDENTITY_CHANGED"  # IDENT-10
    RINGS_HERE = "RINGS_HERE"  # CALL-21
    NO_MEDIA_YET = "NO_MEDIA_YET"  # CALL-6, CALL-8
    BAD_CONFIGURATION = "BAD_CONFIGURATION"


class CallRefused(RemoteProtocolError):
    """A message that the call does not allow. State is unchanged."""


class CallUsageError(LocalProtocolError):
    """The application asked for what the call cannot do now. State is unchanged."""
