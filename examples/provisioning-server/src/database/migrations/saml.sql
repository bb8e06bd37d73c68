-- The identity provider of an organization for single sign-on: at most one. `tried` is when a trial sign-in has succeeded;
-- until then nobody signs in by it.
CREATE TABLE saml_provider (
    org          BLOB    NOT NULL PRIMARY KEY,
    entity_id    TEXT    NOT NULL,
    sso_url      TEXT    NOT NULL,
    metadata_url TEXT,
    read         INTEGER,
    signed       TEXT    NOT NULL,
    stable_id    TEXT,
    tried        INTEGER
) STRICT, WITHOUT ROWID;

-- Its certificates. One that its metadata do not name any more is good until the end of an overlap.
CREATE TABLE saml_certificate (
    org         BLOB    NOT NULL,
    fingerprint BLOB    NOT NULL,
    der         BLOB    NOT NULL,
    until       INTEGER,
    PRIMARY KEY (org, fingerprint)
) STRICT, WITHOUT ROWID;
