"""What the service holds at most, and how long, and how often it is asked (DS-3, DS-7, DS-9, DS-12)."""

from __future__ import annotations

from e2ee.delivery.rates import Rate
from e2ee.profile.leaves import MAX_LEAVES

__all__ = [
    "ADDS",
    "ASKED_WITHIN",
    "CALL_IDLE",
    "CALL_ID_REMEMBERED",
    "CLAIMS",
    "CLAIMS_OF_ONE",
    "COMMITS",
    "COMMITTED_BYTES",
    "COMMIT_BYTES",
    "COMMIT_BYTES_AN_ADD",
    "COMMIT_BYTES_A_LEAF",
    "COMMIT_BYTES_A_PROFILE",
    "COMMIT_BYTES_A_PROPOSAL",
    "COMMIT_INTERVAL",
    "CONNECTION_BYTES",
    "CONNECTION_EXCESS",
    "CONNECTION_MESSAGES",
    "COPIES",
    "GONE_AFTER",
    "GONE_AGAIN_AFTER",
    "IN_FLIGHT_BYTES",
    "IN_FLIGHT_MESSAGES",
    "JOINS",
    "JOINS_OF_ACCOUNT",
    "JOINS_OF_CALL",
    "LETTERS",
    "LETTERS_TO_ONE",
    "LETTER_BYTES",
    "LINK_KEPT",
    "MAILBOX_BYTES",
    "MAILBOX_MESSAGES",
    "MAILBOX_SHARE",
    "MAX_ACCOUNT_CALLS",
    "MAX_ADDS",
    "MAX_CALLS_IN_MEMORY",
    "MAX_COMMIT",
    "MAX_DEVICES",
    "MAX_GONE_STATEMENTS",
    "MAX_GROUP",
    "MAX_GROUP_MESSAGE",
    "MAX_HYBRID_GROUP",
    "MAX_KEY_PACKAGE",
    "MAX_KEY_PACKAGES",
    "MAX_LETTER_CONTENT",
    "MAX_LETTER_KEY",
    "MAX_LETTER_KEYS",
    "MAX_LINKS",
    "MAX_LINK_BYTES",
    "MAX_LINK_WAITS",
    "MAX_LOG_ENTRIES",
    "MAX_MEDIA_CALLS",
    "MAX_OPEN_CALLS",
    "MAX_PACE",
    "MAX_PRESENCE_GROUP",
    "MAX_PROPOSALS",
    "MAX_RANKS",
    "MAX_RELAYED_BYTES",
    "MAX_RELAYED_BYTES_RINGING",
    "MAX_REMEMBERED_KEY_PACKAGES",
    "MAX_WAITING_BYTES",
    "MAX_WAITING_MESSAGES",
    "MAX_WELCOMES",
    "MEDIA_CONNECTIONS",
    "PACE_WINDOW",
    "REGISTRATIONS",
    "SNAPSHOT_EVERY",
    "SWEEP_INTERVAL",
    "TREES_KEPT",
    "TREE_PART",
    "TREE_PARTS",
    "VOID_WITHIN",
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
"""Entries of the log of a call between two: a week of epochs. Who commits without end would fill the disk, and each restart
reads all of it."""

MAX_COMMIT = 32 << 10
"""Longest commit of a call between two that adds nobody, in bytes; an Answer in the hybrid suite has 5 KiB."""

MAX_PROPOSALS = 1_024
"""Proposals of a commit of a group call: all of its members can be removed at once."""

MAX_ADDS = 256
"""Those of them that add: each costs the service and every member six signatures to verify."""

COMMITS = Rate(240, MINUTE)
"""Commits of an account, also those that are refused: to find that they are costs as much."""

COMMITTED_BYTES = Rate(32 << 20, MINUTE)
"""Bytes of these commits: one of a large new group has a megabyte, which is a second of work."""

ADDS = Rate(2_048, MINUTE)
"""Devices that an account's commits add, refused or not: 256 of them take half a second."""

MAX_WELCOMES = 40 << 20
"""Bytes of the Welcomes that a commit of a group call makes of one: each of 256 has the whole GroupInfo, with a profile of up to
128 KiB, or with the tree of up to 64 members."""

MAX_GROUP = MAX_LEAVES
"""Members of a group call."""

MAX_HYBRID_GROUP = 768
"""The same in the hybrid suite: a commit is encrypted to each leaf of a tree that is new, and has to be a service message."""

COMMIT_BYTES = 32 << 10
"""Bytes of a commit of a group call, beside what follows."""

COMMIT_BYTES_A_LEAF = 128
"""For each leaf of the tree, beside the length of an encapsulated key: the path may be encrypted to each."""

COMMIT_BYTES_AN_ADD = MAX_KEY_PACKAGE + 64
"""For each Add."""

COMMIT_BYTES_A_PROPOSAL = 256
"""For each other proposal: a Remove with its GoneStatement."""

COMMIT_BYTES_A_PROFILE = 4 * 1_024 * 32
"""For a GroupContextExtensions proposal: the lists of a profile."""

COMMIT_INTERVAL = 1_000
"""Milliseconds between two commits of a group call (DS-18)."""

PACE_WINDOW, MAX_PACE = 10_000, 15
"""In so many milliseconds so many epochs may begin (KEYS-25)."""

VOID_WITHIN = 5_000
"""Milliseconds in which an entry is found to be void (DS-20)."""

TREES_KEPT = 3
"""Epochs before the newest whose tree is given (DS-21)."""

TREE_PART = 512 << 10
"""Bytes of a tree that are given at a time (DS-21)."""

SNAPSHOT_EVERY = 32
"""Entries of a group call's log, after which the older ones become a snapshot: a restart reads no more than about these."""

GONE_AFTER = 10_000
"""Milliseconds without a connection after which a member is gone (DS-19, GROUP-22)."""

GONE_AGAIN_AFTER = 15_000
"""Milliseconds after which a GoneStatement that nobody has acted on is given again: eight ranks have had their turn."""

MAX_GONE_STATEMENTS = 256
"""GoneStatements that are given at a time; the others follow when these are done."""

MAX_RANKS = 8
"""Members who are told of a request to join and of a GoneStatement (DS-17, DS-19)."""

MAX_PRESENCE_GROUP = 64
"""Members of a group call, of more of which no presence is sent (DS-22)."""

JOINS = Rate(30, MINUTE)
"""Requests of an account to join one group call: GROUP-7 asks every 3 s."""

JOINS_OF_ACCOUNT = Rate(120, MINUTE)
"""Requests of an account to join group calls."""

JOINS_OF_CALL = Rate(500, 3_000)
"""Requests to join one group call: half of what may wait for a connection, so that a rush closes nobody's."""

ASKED_WITHIN = MINUTE
"""Milliseconds in which a host can turn away who has asked to join."""

COPIES = Rate(10_000, 5_000)
"""Copies that an account's messages make in a group call: two a second of a member of 1,000, bursts of ten."""

MAX_GROUP_MESSAGE = 68 << 10
"""Longest application message of a group call: a call message (SIG-3), padded and protected."""

TREE_PARTS = Rate(60, MINUTE)
"""Parts of trees that an account is given."""

MEDIA_CONNECTIONS = Rate(30, MINUTE)
"""Connections to the forwarding unit that an account's devices ask for: each costs the unit as much as seconds of media do, and
one that publishes something else than the last also everybody who is given it."""

MAX_MEDIA_CALLS = 16
"""Calls in which an account has media at the forwarding unit, which has places for 1,000 calls."""

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
