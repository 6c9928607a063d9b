"""What the delivery service refuses, beside what MLS, the profile of calls and identity refuse.

RemoteProtocolError
  DeliveryError     a request that the service does not do; ``refused`` carries the reason
LocalProtocolError
  ServiceUsageError the surrounding program used the service wrongly
  StoreConflict     another service that shares the store was faster; nothing was written
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason, RemoteProtocolError

__all__ = ["DeliveryError", "DeliveryReason", "ServiceUsageError", "StoreConflict"]


class DeliveryReason(Reason):
    """Which rule of the chapter Delivery service was broken."""

    # connections, DS-1
    NOT_CONNECTED = "NOT_CONNECTED"
    UNEXPECTED_MESSAGE = "UNEXPECTED_MESSAGE"
    NOT_GREETED = "NOT_GREETED"
    NO_CHALLENGE = "NO_CHALLENGE"
    NOT_LOGGED_IN = "NOT_LOGGED_IN"
    SUPERSEDED = "SUPERSEDED"

    # accounts, DS-8
    ACCOUNT_TAKEN = "ACCOUNT_TAKEN"
    ACCOUNT_REPLACED = "ACCOUNT_REPLACED"
    REGISTRATION_CLOSED = "REGISTRATION_CLOSED"
    INVITATION_NEEDED = "INVITATION_NEEDED"
    BAD_INVITATION = "BAD_INVITATION"
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    NOT_THIS_USER = "NOT_THIS_USER"
    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    WRONG_ACCOUNT_KEY = "WRONG_ACCOUNT_KEY"
    REVOKED = "REVOKED"
    UNKNOWN_DEVICE = "UNKNOWN_DEVICE"
    NOT_NEWER = "NOT_NEWER"
    LINK_ID_USED = "LINK_ID_USED"

    # KeyPackages, DS-2
    NOT_THIS_DEVICE = "NOT_THIS_DEVICE"
    KEY_PACKAGE_KNOWN = "KEY_PACKAGE_KNOWN"
    NO_KEY_PACKAGES = "NO_KEY_PACKAGES"

    # calls, DS-3 to DS-6
    WRONG_WIRE_FORMAT = "WRONG_WIRE_FORMAT"
    CALL_ID_USED = "CALL_ID_USED"
    NOT_EPOCH_0 = "NOT_EPOCH_0"
    NOT_THE_ONLY_LEAF = "NOT_THE_ONLY_LEAF"
    NOT_THE_CALLER = "NOT_THE_CALLER"
    WRONG_DELIVERY_KEY = "WRONG_DELIVERY_KEY"
    UNKNOWN_CALL = "UNKNOWN_CALL"
    LOG_UNREADABLE = "LOG_UNREADABLE"
    NOT_A_MEMBER = "NOT_A_MEMBER"
    NOT_THE_COMMITTER = "NOT_THE_COMMITTER"
    WELCOME_MISSING = "WELCOME_MISSING"
    WELCOME_UNEXPECTED = "WELCOME_UNEXPECTED"
    WELCOME_MISMATCH = "WELCOME_MISMATCH"
    WRONG_GROUP = "WRONG_GROUP"
    WRONG_EPOCH = "WRONG_EPOCH"
    NOT_APPLICATION_DATA = "NOT_APPLICATION_DATA"

    # group calls, DS-16 to DS-21
    NOT_A_GROUP_CALL = "NOT_A_GROUP_CALL"
    NOT_A_HOST = "NOT_A_HOST"
    BANNED = "BANNED"
    NOT_ADMITTED = "NOT_ADMITTED"
    NOT_ASKED = "NOT_ASKED"
    CALL_FULL = "CALL_FULL"
    TOO_SOON = "TOO_SOON"
    TOO_LATE = "TOO_LATE"
    GONE = "GONE"
    OWN_COMMIT = "OWN_COMMIT"
    COMMIT_VOIDED = "COMMIT_VOIDED"
    NO_TREE = "NO_TREE"
    NO_FORWARDING = "NO_FORWARDING"
    NOT_A_SPEAKER = "NOT_A_SPEAKER"

    # mailboxes and letters, DS-9
    NOT_SENT = "NOT_SENT"
    MAILBOX_FULL = "MAILBOX_FULL"
    NO_RECEIVER = "NO_RECEIVER"
    UNKNOWN_KEY_PACKAGE = "UNKNOWN_KEY_PACKAGE"

    # bounds, DS-7 and DS-12
    RATE_LIMITED = "RATE_LIMITED"
    TOO_MANY_RECEIVERS = "TOO_MANY_RECEIVERS"
    TOO_MANY_LINKS = "TOO_MANY_LINKS"
    TOO_MANY_DEVICES = "TOO_MANY_DEVICES"
    TOO_MANY_BYTES = "TOO_MANY_BYTES"
    TOO_MANY_KEY_PACKAGES = "TOO_MANY_KEY_PACKAGES"
    TOO_MANY_CALLS = "TOO_MANY_CALLS"
    TOO_MANY_COMMITS = "TOO_MANY_COMMITS"
    TOO_MANY_WAITING_MESSAGES = "TOO_MANY_WAITING_MESSAGES"

    # what several services share, DS-10
    CONFLICT = "CONFLICT"

    # the service's own identity
    WRONG_SERVER_NAME = "WRONG_SERVER_NAME"
    IDENTITY_MISSING = "IDENTITY_MISSING"
    IDENTITY_UNREADABLE = "IDENTITY_UNREADABLE"


class DeliveryError(RemoteProtocolError):
    """A request that the service refuses."""


class ServiceUsageError(LocalProtocolError):
    """The service was called in a way that its shell must not."""


class StoreConflict(LocalProtocolError):
    """What this transaction read or wanted to add was changed by another one."""
