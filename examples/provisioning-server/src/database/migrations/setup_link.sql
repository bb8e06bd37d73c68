-- Links to the set-up guide, for somebody without an account. `browser` is the fingerprint of the browser in which one was
-- opened first, which alone it is good for. `account` is that of whoever made it, which may be an owner of the
-- instance; NULL for the operator. A link that was taken back stays for a while with its end.
CREATE TABLE setup_link (
    org         BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    fingerprint BLOB    NOT NULL,
    maker_kind  TEXT    NOT NULL,
    account     BLOB,
    maker_name  TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    expires     INTEGER NOT NULL,
    opened      INTEGER,
    browser     BLOB,
    ended       INTEGER,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX setup_link_fingerprint ON setup_link (fingerprint);
CREATE INDEX setup_link_browser ON setup_link (org, browser) WHERE browser IS NOT NULL;
CREATE INDEX setup_link_account ON setup_link (account) WHERE account IS NOT NULL;
CREATE INDEX setup_link_expires ON setup_link (org, expires);
