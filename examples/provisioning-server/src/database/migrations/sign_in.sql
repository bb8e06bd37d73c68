-- How people sign in. `org` is the nil UUID for owners of the instance, who belong to no organization.
CREATE TABLE owner (
    org      BLOB    NOT NULL,
    id       BLOB    NOT NULL,
    name_key TEXT    NOT NULL,
    address  TEXT    NOT NULL,
    due      TEXT,
    created  INTEGER NOT NULL,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX owner_name ON owner (org, name_key);
CREATE INDEX owner_due ON owner (org, due, id) WHERE due IS NOT NULL;

-- The way in of each account: how its person signs in for the first time, which link is to be made and sent (`due`), and
-- when the person has first signed in. Nothing is due for accounts that were made before there was sign-in.
ALTER TABLE account ADD COLUMN first_login TEXT NOT NULL DEFAULT 'invitation';
ALTER TABLE account ADD COLUMN due TEXT;
ALTER TABLE account ADD COLUMN signed_in INTEGER;
CREATE INDEX account_due ON account (org, due, id)
    WHERE due IS NOT NULL AND state = 'active' AND suspended IS NULL AND address IS NOT NULL;

CREATE TABLE password (
    org     BLOB    NOT NULL,
    account BLOB    NOT NULL,
    hash    TEXT    NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (org, account)
) STRICT, WITHOUT ROWID;

-- `confirmed` is NULL until the first code has been right. `last_step` is the step of time whose code was used last.
CREATE TABLE second_factor (
    org           BLOB    NOT NULL,
    account       BLOB    NOT NULL,
    sealed_secret BLOB    NOT NULL,
    created       INTEGER NOT NULL,
    confirmed     INTEGER,
    last_step     INTEGER,
    PRIMARY KEY (org, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_code (
    org         BLOB    NOT NULL,
    account     BLOB    NOT NULL,
    fingerprint BLOB    NOT NULL,
    PRIMARY KEY (org, account, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    org         BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    account     BLOB    NOT NULL,
    fingerprint BLOB    NOT NULL,
    stage       TEXT    NOT NULL,
    way         TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    used        INTEGER NOT NULL,
    proved      INTEGER NOT NULL,
    address     TEXT,
    agent       TEXT,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX session_fingerprint ON session (org, fingerprint);
CREATE INDEX session_account ON session (org, account, id);
CREATE INDEX session_used ON session (org, used);

-- Links that are used once, as long as they can be. The text of one stands in its mail alone, sealed.
CREATE TABLE link (
    org         BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    account     BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    created     INTEGER NOT NULL,
    expires     INTEGER NOT NULL,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX link_fingerprint ON link (org, fingerprint);
CREATE INDEX link_account ON link (org, account, kind);
CREATE INDEX link_expires ON link (org, expires);

-- Attempts to sign in, by name, network address and browser: the key is a hash of these.
CREATE TABLE attempt (
    org    BLOB    NOT NULL,
    key    BLOB    NOT NULL,
    failed INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (org, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_last ON attempt (org, last);

-- Browsers in which somebody has signed in: attempts from elsewhere do not slow theirs.
CREATE TABLE device (
    org         BLOB    NOT NULL,
    account     BLOB    NOT NULL,
    fingerprint BLOB    NOT NULL,
    used        INTEGER NOT NULL,
    PRIMARY KEY (org, account, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_used ON device (org, used);
