"""The tables of a SQLite store, by version: ``VERSIONS[n]`` makes version n + 1 of version n.

A device is a row whose number the other tables use in place of its key. ``mail`` counts itself in its device's
``mailboxes``, so that no mailbox is read to know how full it is; how much of it is one sender's is read from an index alone.
What many mailboxes hold is in ``bodies``, and their ``mail`` has no bytes of its own; the last that goes takes the body with
it. A KeyPackage that was handed out keeps its reference and loses its bytes. Times are Unix milliseconds, but
``not_after``, which is MLS's Unix seconds.
"""

from __future__ import annotations

__all__ = ["APPLICATION_ID", "VERSIONS"]

APPLICATION_ID = 0xE2EEC
"""In the file's header, so that another database is not taken for a store."""

_VERSION_1 = """
CREATE TABLE service (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE accounts (
    account_id TEXT PRIMARY KEY,
    account_key BLOB NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE devices (
    device INTEGER PRIMARY KEY,
    signature_key BLOB NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts,
    certificate BLOB NOT NULL,
    last_number INTEGER NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX devices_of_account ON devices (account_id);

CREATE TABLE key_packages (
    position INTEGER PRIMARY KEY,
    ref BLOB NOT NULL UNIQUE,
    device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
    suite INTEGER NOT NULL,
    last_resort INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    encoded BLOB
);
CREATE INDEX key_packages_of_device ON key_packages (device, suite, last_resort, position);
CREATE INDEX key_packages_by_end ON key_packages (not_after);

CREATE TABLE mail (
    device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
    number INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    encoded BLOB NOT NULL,
    sender TEXT,
    UNIQUE (device, number)
);
CREATE INDEX mail_by_end ON mail (expires_at);
CREATE INDEX mail_of_sender ON mail (device, sender, size) WHERE sender IS NOT NULL;

CREATE TABLE calls (
    call_id BLOB PRIMARY KEY,
    opener BLOB NOT NULL,
    account_id TEXT NOT NULL,
    grown_at INTEGER NOT NULL,
    entries INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX calls_of_opener ON calls (opener, grown_at);
CREATE INDEX calls_of_account ON calls (account_id, grown_at);
CREATE INDEX calls_by_age ON calls (grown_at);

CREATE TABLE log (
    call_id BLOB NOT NULL REFERENCES calls ON DELETE CASCADE,
    position INTEGER NOT NULL,
    signature_key BLOB NOT NULL,
    certificate BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    request BLOB NOT NULL,
    UNIQUE (call_id, position)
);

CREATE TABLE members (
    signature_key BLOB NOT NULL,
    call_id BLOB NOT NULL REFERENCES calls ON DELETE CASCADE,
    PRIMARY KEY (signature_key, call_id)
) WITHOUT ROWID;
CREATE INDEX members_of_call ON members (call_id);

CREATE TABLE invitations (
    digest BLOB PRIMARY KEY,
    account_id TEXT,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE links (
    link_id BLOB PRIMARY KEY,
    account_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    sealed BLOB NOT NULL
);
"""

_VERSION_2 = """
CREATE TABLE mailboxes (
    device INTEGER PRIMARY KEY REFERENCES devices ON DELETE CASCADE,
    last_number INTEGER NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0
);
INSERT INTO mailboxes SELECT device, last_number, messages, size FROM devices;
ALTER TABLE devices DROP COLUMN last_number;
ALTER TABLE devices DROP COLUMN messages;
ALTER TABLE devices DROP COLUMN size;

CREATE TABLE bodies (
    body INTEGER PRIMARY KEY,
    encoded BLOB NOT NULL
);
ALTER TABLE mail ADD COLUMN body INTEGER;
CREATE INDEX mail_of_body ON mail (body) WHERE body IS NOT NULL;
CREATE TRIGGER body_without_mail AFTER DELETE ON mail WHEN old.body IS NOT NULL BEGIN
    DELETE FROM bodies WHERE body = old.body AND NOT EXISTS (SELECT 1 FROM mail WHERE body = old.body);
END;

ALTER TABLE calls ADD COLUMN begins INTEGER NOT NULL DEFAULT 0;
CREATE TABLE snapshots (
    call_id BLOB PRIMARY KEY REFERENCES calls ON DELETE CASCADE,
    encoded BLOB NOT NULL
);
ALTER TABLE members ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
"""

VERSIONS = (_VERSION_1, _VERSION_2)
