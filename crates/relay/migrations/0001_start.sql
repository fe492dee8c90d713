-- Everything the relay keeps. Ids are raw bytes, times Unix milliseconds,
-- bodies opaque.

CREATE TABLE account (
    user       BLOB PRIMARY KEY,
    created    INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    disabled   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    user    BLOB NOT NULL REFERENCES account ON DELETE CASCADE,
    device  BLOB NOT NULL,
    revoked INTEGER NOT NULL,
    PRIMARY KEY (user, device)
) STRICT, WITHOUT ROWID;

-- One row for each living refresh token; both halves are hashes.
CREATE TABLE session (
    family  BLOB PRIMARY KEY,
    user    BLOB NOT NULL,
    device  BLOB NOT NULL,
    secret  BLOB NOT NULL,
    expires INTEGER NOT NULL,
    FOREIGN KEY (user, device) REFERENCES device ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE room (
    room        BLOB PRIMARY KEY,
    creator     BLOB NOT NULL,
    host        BLOB NOT NULL,
    epoch       INTEGER NOT NULL,
    head        INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    retention   INTEGER,
    next_order  INTEGER NOT NULL,
    empty_since INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    room   BLOB NOT NULL REFERENCES room ON DELETE CASCADE,
    user   BLOB NOT NULL,
    place  INTEGER NOT NULL,
    joined INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE gone (
    room   BLOB NOT NULL REFERENCES room ON DELETE CASCADE,
    user   BLOB NOT NULL,
    joined INTEGER NOT NULL,
    until  INTEGER NOT NULL,
    up_to  INTEGER NOT NULL,
    host   BLOB NOT NULL,
    epoch  INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (
    room   BLOB NOT NULL,
    user   BLOB NOT NULL,
    device BLOB NOT NULL,
    up_to  INTEGER NOT NULL,
    PRIMARY KEY (room, user, device),
    FOREIGN KEY (room, user) REFERENCES member ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    room   BLOB NOT NULL REFERENCES room ON DELETE CASCADE,
    seq    INTEGER NOT NULL,
    id     BLOB NOT NULL,
    user   BLOB NOT NULL,
    device BLOB NOT NULL,
    kind   INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    size   INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (room, seq)
) STRICT;

-- A message is accepted once, whatever the hub believes.
CREATE UNIQUE INDEX message_once ON message (room, user, device, id);

CREATE TABLE knock (
    room BLOB NOT NULL REFERENCES room ON DELETE CASCADE,
    user BLOB NOT NULL,
    id   BLOB NOT NULL,
    at   INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (room, user)
) STRICT;

CREATE TABLE denial (
    user  BLOB NOT NULL,
    room  BLOB NOT NULL,
    knock BLOB NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;

-- Without a body: received, and remembered until it expires.
CREATE TABLE direct (
    recipient BLOB NOT NULL,
    sender    BLOB NOT NULL,
    id        BLOB NOT NULL,
    place     INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    body      BLOB,
    PRIMARY KEY (recipient, sender, id)
) STRICT;

CREATE TABLE key_package (
    user   BLOB NOT NULL,
    device BLOB NOT NULL,
    number INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (user, device, number),
    FOREIGN KEY (user, device) REFERENCES device ON DELETE CASCADE
) STRICT;

CREATE TABLE last_resort (
    user   BLOB NOT NULL,
    device BLOB NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (user, device),
    FOREIGN KEY (user, device) REFERENCES device ON DELETE CASCADE
) STRICT;
