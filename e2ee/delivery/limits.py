"""What the service holds at most, and how long, and how often it is asked (DS-3, DS-7, DS-9, DS-12)."""

from __future__ import annotations

from e2ee.delivery.rates import Rate

__all__ = [
    "CALL_IDLE",
    "CALL_ID_REMEMBERED",
    "CLAIMS",
    "CLAIMS_OF_ONE",
    "CONNECTION_BYTES",
    "CONNECTION_EXCESS",
    "CONNECTION_MESSAGES",
    "IN_FLIGHT_BYTES",
    "IN_FLIGHT_MESSAGES",
    "LETTERS",
    "LETTERS_TO_ONE",
    "LETTER_BYTES",
    "LINK_KEPT",
    "MAILBOX_BYTES",
    "MAILBOX_MESSAGES",
    "MAILBOX_SHARE",
    "MAX_ACCOUNT_CALLS",
    "MAX_CALLS_IN_MEMORY",
    "MAX_COMMIT",
    "MAX_DEVICES",
    "MAX_KEY_PACKAGE",
    "MAX_KEY_PACKAGES",
    "MAX_LETTER_CONTENT",
    "MAX_LETTER_KEY",
    "MAX_LETTER_KEYS",
    "MAX_LINKS",
    "MAX_LINK_BYTES",
    "MAX_LINK_WAITS",
    "MAX_LOG_ENTRIES",
    "MAX_OPEN_CALLS",
    "MAX_RELAYED_BYTES",
    "MAX_RELAYED_BYTES_RINGING",
    "MAX_REMEMBERED_KEY_PACKAGES",
    "MAX_WAITING_BYTES",
    "MAX_WAITING_MESSAGES",
    "REGISTRATIONS",
    "SWEEP_INTERVAL",
]

MINUTE = 60 * 1000
DAY = 24 * 60 * MINUTE

# Accounts and devices

REGISTRATIONS = Rate(20, 60 * MINUTE)
"""New accounts of one address, if nobody vouches for them."""

MAX_DEVICES = 64
"""Devices of an account, each with its own ``device_id``."""

MAX_KEY_PACKAGES = 100
"""KeyPackages held of a device, last resorts among them."""

MAX_KEY_PACKAGE = 8 << 10
"""Longest KeyPackage, in bytes: those of 64 devices go out in one message (SIG-3); a hybrid one has 3 KiB."""

MAX_REMEMBERED_KEY_PACKAGES = 10_000
"""KeyPackages of a device that were handed out and are remembered until they expire (DS-2)."""

CLAIMS = Rate(30, MINUTE)
"""Claims of an account (DS-12)."""

CLAIMS_OF_ONE = Rate(10, MINUTE)
"""Claims of an account that are for one and the same account (DS-12)."""

# Calls

MAX_OPEN_CALLS = 64
"""Calls that a device has opened and that are not over."""

MAX_ACCOUNT_CALLS = 256
"""The same, of all devices of an account."""

MAX_LOG_ENTRIES = 1_024
"""Entries of a call's log: a week of epochs. Who commits without end would fill the disk, and each restart reads all of it."""

MAX_COMMIT = 32 << 10
"""Longest commit that adds nobody, in bytes; an Answer in the hybrid suite has 5 KiB."""

CALL_IDLE = 11 * MINUTE
"""A call whose log does not grow for so long is over (an epoch lasts at most 10 minutes, KEYS-15)."""

CALL_ID_REMEMBERED = DAY
"""How long the id of a call that is over cannot be opened again (DS-3)."""

MAX_CALLS_IN_MEMORY = 4_096
"""Calls whose state is kept at hand; that of others is made from their log when it is asked for (DS-10)."""

# Mailboxes

MAILBOX_MESSAGES = 2_000
"""Messages in a device's mailbox (DS-9)."""

MAILBOX_BYTES = 32 << 20
"""All of these together, in bytes."""

MAILBOX_SHARE = 1
"""Eighths of it that another account's letters and unanswered calls may fill (DS-9)."""

IN_FLIGHT_MESSAGES = 500
"""Messages that a connection was sent and has not acknowledged; the next ones wait in the mailbox (DS-9)."""

IN_FLIGHT_BYTES = 8 << 20
"""All of these together, in bytes; a message that is larger goes alone."""

MAX_RELAYED_BYTES = (1 << 20) - 1024
"""What a request may bring for others, so that what is sent on is a service message as well (SIG-3)."""

MAX_RELAYED_BYTES_RINGING = 4 << 10
"""The same for an application message of a call that nobody has answered; the longest is a `hangup` with a text (CALL-20)."""

# Letters

MAX_LETTER_CONTENT = (512 + 8) << 10
"""Longest content of a letter: the longest letter (SIG-3), signed, padded and sealed."""

MAX_LETTER_KEY = 4 << 10
"""Longest sealed key of a letter; one to a hybrid KeyPackage has 1.3 KiB."""

MAX_LETTER_KEYS = 2 * MAX_DEVICES
"""Devices that a letter is for: those of its receiver, and the sender's others."""

LETTERS = Rate(30, MINUTE)
"""Letters of an account."""

LETTERS_TO_ONE = Rate(10, MINUTE)
"""Letters of an account for one and the same account."""

LETTER_BYTES = Rate(64 << 20, 10 * MINUTE)
"""Bytes that an account's letters take in mailboxes."""

# Links

LINK_KEPT = 10 * MINUTE
"""How long what is sealed to a new device is kept (IDENT-17), and a connection waits for it."""

MAX_LINK_BYTES = 64 << 10
"""Longest ``sealed``."""

MAX_LINKS = 8
"""What is kept for new devices of an account."""

MAX_LINK_WAITS = 4
"""``link_id``s that a connection waits for."""

# Connections; the shell that has them enforces these

MAX_WAITING_MESSAGES = 1_000
"""Messages that wait for a connection to take them."""

MAX_WAITING_BYTES = 16 << 20
"""All of these together, in bytes."""

CONNECTION_MESSAGES = Rate(2_000, 20 * 1000)
"""Messages that a connection brings: 100 a second."""

CONNECTION_BYTES = Rate(32 << 20, 20 * 1000)
"""Their bytes: 1.6 MiB a second."""

CONNECTION_EXCESS = Rate(1_000, 20 * 1000)
"""Messages beyond these two, which are refused; a refusal costs something as well."""

# The service's own

SWEEP_INTERVAL = MINUTE
"""How often what has expired is looked for and removed, in milliseconds."""
