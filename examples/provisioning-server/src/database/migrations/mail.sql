-- Mails: written in the transaction of their cause, and sent behind. `org` is the nil UUID for those of the instance. A mail
-- that waits has a time at which it is due; whoever sends it moves that on before it begins, so that nobody else does. It
-- is tried until `until`, and is of no use any more once its link has ended.
CREATE TABLE mail (
    org         BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    account     BLOB,
    recipient   TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    attempts    INTEGER NOT NULL,
    due         INTEGER,
    until       INTEGER NOT NULL,
    tried       INTEGER,
    created     INTEGER NOT NULL,
    sent        INTEGER,
    message_id  TEXT    NOT NULL,
    error       TEXT,
    params      TEXT    NOT NULL,
    sealed_link BLOB,
    link_ends   INTEGER,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_due ON mail (org, due, id) WHERE state = 'queued';
CREATE INDEX mail_until ON mail (until, org, id) WHERE state = 'queued';
CREATE INDEX mail_state ON mail (org, state, id);
-- Those that were tried within the last minute, of whatever organization.
CREATE INDEX mail_tried ON mail (tried, org) WHERE tried IS NOT NULL;
-- Those that end with what they are about.
CREATE INDEX mail_open ON mail (org, account, kind) WHERE state IN ('queued', 'kept', 'failed');
CREATE INDEX mail_linked ON mail (org, id) WHERE sealed_link IS NOT NULL;
CREATE INDEX mail_link_ends ON mail (link_ends, org, id) WHERE sealed_link IS NOT NULL;
-- For how many days before its end administrators were told of it last.
ALTER TABLE token ADD COLUMN told INTEGER;
