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

-- Assertions that were used, as SHA-256 of their ids, for as long as they are valid: none is used twice.
CREATE TABLE saml_assertion (
    org         BLOB    NOT NULL,
    fingerprint BLOB    NOT NULL,
    until       INTEGER NOT NULL,
    PRIMARY KEY (org, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX saml_assertion_until ON saml_assertion (org, until);

-- Sign-ins by SAML that let nobody in: trials by administrators, and confirmations of manual accounts by their people.
CREATE TABLE saml_errand (
    org         BLOB    NOT NULL,
    fingerprint BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    account     BLOB,
    expires     INTEGER NOT NULL,
    PRIMARY KEY (org, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX saml_errand_expires ON saml_errand (org, expires);

-- Manual accounts whose people have confirmed that they sign in by SAML: with which address and stable id.
CREATE TABLE saml_confirmation (
    org         BLOB    NOT NULL,
    account     BLOB    NOT NULL,
    address_key TEXT    NOT NULL,
    stable_id   TEXT,
    confirmed   INTEGER NOT NULL,
    PRIMARY KEY (org, account)
) STRICT, WITHOUT ROWID;

-- The last sign-ins by SAML that were refused.
CREATE TABLE saml_failure (
    org      BLOB    NOT NULL,
    id       BLOB    NOT NULL,
    time     INTEGER NOT NULL,
    refusal  TEXT    NOT NULL,
    asserted TEXT    NOT NULL,
    address  TEXT,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX saml_failure_time ON saml_failure (org, time);

-- The address of an account, as addresses are compared.
ALTER TABLE account ADD COLUMN address_key TEXT;
UPDATE account SET address_key = lower(address);
CREATE INDEX account_address ON account (org, address_key) WHERE address_key IS NOT NULL;
