"""What the profile of calls refuses, though RFC 9420 may allow it.

RemoteProtocolError
  ProfileError     a suite, a call_profile, a leaf or a commit that KEYS-1 to KEYS-13 or IDENT-11 refuse
"""

from __future__ import annotations

from e2ee.errors import Reason, RemoteProtocolError

__all__ = ["ProfileError", "ProfileReason"]


class ProfileReason(Reason):
    """Which rule of the profile was broken."""

    # KEYS-1, KEYS-2
    UNPAIRED_SUITE = "UNPAIRED_SUITE"
    NO_COMMON_SUITE = "NO_COMMON_SUITE"
    SUITE_TOO_LOW = "SUITE_TOO_LOW"

    # KEYS-18
    NO_COMMON_VERSION = "NO_COMMON_VERSION"
    VERSION_TOO_LOW = "VERSION_TOO_LOW"

    # KEYS-6, IDENT-11
    CREDENTIAL_NOT_BASIC = "CREDENTIAL_NOT_BASIC"
    LEAF_CHANGED = "LEAF_CHANGED"
    ACCOUNT_KEYS_DIFFER = "ACCOUNT_KEYS_DIFFER"
    DEVICE_NOT_UNIQUE = "DEVICE_NOT_UNIQUE"

    # KEYS-9, KEYS-10
    NO_CALL_PROFILE = "NO_CALL_PROFILE"
    CALL_PROFILE_NOT_REQUIRED = "CALL_PROFILE_NOT_REQUIRED"
    BAD_CALL_PROFILE = "BAD_CALL_PROFILE"
    UNEXPECTED_EXTENSION = "UNEXPECTED_EXTENSION"

    # KEYS-11 to KEYS-13
    EXTERNAL_SENDER = "EXTERNAL_SENDER"
    NO_PATH = "NO_PATH"
    PROPOSAL_BY_REFERENCE = "PROPOSAL_BY_REFERENCE"
    ILLEGAL_PROPOSAL = "ILLEGAL_PROPOSAL"
    ILLEGAL_COMMITTER = "ILLEGAL_COMMITTER"


class ProfileError(RemoteProtocolError):
    """Something that this profile does not allow in a call."""
