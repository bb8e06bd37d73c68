-- An organization's connection with an identity provider. Its URL ends with it; history and roles do not. `attached` says
-- what becomes of its people once it has ended, until that is done (`cleared`).
CREATE TABLE source (
    org      BLOB    NOT NULL REFERENCES organization (id),
    id       BLOB    NOT NULL,
    enabled  INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    ended    INTEGER,
    attached TEXT,
    cleared  INTEGER,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX source_live ON source (org) WHERE ended IS NULL;
INSERT INTO source (org, id, enabled, created) SELECT id, id, enabled, created FROM organization WHERE deleted IS NULL;
ALTER TABLE organization DROP COLUMN enabled;

-- While attributes that are not kept any more are being erased: the account up to which that is done.
ALTER TABLE organization ADD COLUMN erasing BLOB;

-- The last event that an organization does not keep any more: whoever has read less than that has missed some.
ALTER TABLE organization ADD COLUMN events_purged BLOB;

-- Who may read with a token, and what: an identity provider by SCIM, or the product behind by the access route.
ALTER TABLE token ADD COLUMN purpose TEXT NOT NULL DEFAULT 'scim';
-- Of the instance: a token is found by what it is, wherever it was found. The one key that does not begin with `org`.
CREATE INDEX token_fingerprint ON token (fingerprint);

-- Since when a token may have been revoked: a backup was restored that has it.
ALTER TABLE token ADD COLUMN doubted INTEGER;

-- Everybody who has or had an account, whether an identity provider or an administrator looks after it. `row` is the key of
-- the person among the resources of SCIM, as long as there is one.
CREATE TABLE account (
    org              BLOB    NOT NULL,
    id               BLOB    NOT NULL,
    managed_by       TEXT    NOT NULL,
    name             TEXT    NOT NULL,
    name_key         TEXT    NOT NULL,
    display          TEXT    NOT NULL,
    address          TEXT,
    state            TEXT    NOT NULL,
    suspended        INTEGER,
    suspended_reason TEXT,
    suspended_by     TEXT,
    row              INTEGER,
    created          INTEGER NOT NULL,
    changed          INTEGER NOT NULL,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_name ON account (org, name_key, id);
-- Lists of some of the people: what most people are not has an index of its own.
CREATE INDEX account_not_active ON account (org, state, name_key, id) WHERE state <> 'active';
CREATE INDEX account_suspended ON account (org, name_key, id) WHERE suspended IS NOT NULL;
CREATE INDEX account_by_hand ON account (org, name_key, id) WHERE managed_by = 'hand';
CREATE UNIQUE INDEX account_row ON account (org, row) WHERE row IS NOT NULL;

-- The one key over the names of all who can sign in, whoever looks after them.
CREATE TABLE sign_in_name (
    org     BLOB NOT NULL,
    name    TEXT NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (org, name)
) STRICT, WITHOUT ROWID;

-- Which person of SCIM an account was, and is; and with which token the identity provider named the person last.
CREATE TABLE binding (
    org         BLOB    NOT NULL,
    source      BLOB    NOT NULL,
    scim_id     TEXT    NOT NULL,
    account     BLOB    NOT NULL,
    external_id TEXT,
    since       INTEGER NOT NULL,
    until       INTEGER,
    token       BLOB,
    PRIMARY KEY (org, scim_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX binding_account ON binding (org, account, since);
CREATE INDEX binding_external_id ON binding (org, external_id, until, account) WHERE external_id IS NOT NULL;

-- The groups of the identity provider. `row` is the key of the group among the resources of SCIM.
CREATE TABLE provisioned_group (
    org         BLOB    NOT NULL,
    row         INTEGER NOT NULL,
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,
    external_id TEXT,
    created     INTEGER NOT NULL,
    PRIMARY KEY (org, row)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX provisioned_group_id ON provisioned_group (org, id);
CREATE INDEX provisioned_group_external_id ON provisioned_group (org, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX provisioned_group_name ON provisioned_group (org, name_key, row);
DROP TABLE group_name;

-- A role that mirrors a group is called by the group's name.
CREATE TABLE role (
    org         BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,
    description TEXT    NOT NULL,
    mirrors     INTEGER,
    created     INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX role_name ON role (org, name_key) WHERE mirrors IS NULL;
CREATE UNIQUE INDEX role_mirrors ON role (org, mirrors) WHERE mirrors IS NOT NULL;


CREATE TABLE role_permission (
    org        BLOB NOT NULL,
    role       BLOB NOT NULL,
    permission TEXT NOT NULL,
    PRIMARY KEY (org, role, permission)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_permission_by ON role_permission (org, permission, role);

-- Which roles the members of a group have. Kept, and without effect, while the organization mirrors groups.
CREATE TABLE mapping (
    org     BLOB    NOT NULL,
    grp     INTEGER NOT NULL,
    role    BLOB    NOT NULL,
    created INTEGER NOT NULL,
    by_whom TEXT    NOT NULL,
    PRIMARY KEY (org, grp, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX mapping_role ON mapping (org, role, grp);

-- Mappings that have gone with a group that was deleted, so that they can be restored.
CREATE TABLE lost_mapping (
    org         BLOB    NOT NULL,
    grp         TEXT    NOT NULL,
    role        BLOB    NOT NULL,
    group_name  TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,
    external_id TEXT,
    members     INTEGER NOT NULL,
    lost        INTEGER NOT NULL,
    PRIMARY KEY (org, grp, role)
) STRICT, WITHOUT ROWID;

-- Groups that are kept in the portal and hold roles; SCIM does not show them.
CREATE TABLE local_group (
    org         BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,
    description TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX local_group_name ON local_group (org, name_key);

CREATE TABLE local_member (
    org         BLOB    NOT NULL,
    local_group BLOB    NOT NULL,
    account     BLOB    NOT NULL,
    created     INTEGER NOT NULL,
    PRIMARY KEY (org, local_group, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX local_member_account ON local_member (org, account, local_group);

-- What an account or a local group holds by itself. What comes of a mapped or mirrored group is worked out and never stored.
CREATE TABLE role_grant (
    org     BLOB    NOT NULL,
    holder  BLOB    NOT NULL,
    role    BLOB    NOT NULL,
    origin  TEXT    NOT NULL,
    created INTEGER NOT NULL,
    by_whom TEXT    NOT NULL,
    PRIMARY KEY (org, holder, role, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_grant_role ON role_grant (org, role, holder);

-- `waiting`: the permission had no effect any more when its holder came back, and an administrator decides.
CREATE TABLE permission_grant (
    org        BLOB    NOT NULL,
    holder     BLOB    NOT NULL,
    permission TEXT    NOT NULL,
    origin     TEXT    NOT NULL,
    waiting    INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    by_whom    TEXT    NOT NULL,
    PRIMARY KEY (org, holder, permission, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX permission_grant_by ON permission_grant (org, permission, holder);

-- Changes that administrators, operators and rules have made.
CREATE TABLE audit (
    org          BLOB    NOT NULL,
    sequence     BLOB    NOT NULL,
    time         INTEGER NOT NULL,
    actor_kind   TEXT    NOT NULL,
    actor        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    subject_type TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    subject_name TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    address      TEXT,
    request_id   TEXT,
    PRIMARY KEY (org, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_subject ON audit (org, subject, sequence);
CREATE INDEX audit_actor ON audit (org, actor, sequence);
CREATE INDEX audit_action ON audit (org, action, sequence);

-- What others are told: written in the transaction of the change, in the order of the commits of an organization.
CREATE TABLE event (
    org          BLOB    NOT NULL,
    sequence     BLOB    NOT NULL,
    time         INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    subject_type TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    people       INTEGER NOT NULL,
    data         TEXT    NOT NULL,
    PRIMARY KEY (org, sequence)
) STRICT, WITHOUT ROWID;

-- Rights that were taken away, for the alert on mass changes. A loss of many people at once has at most 1,000 rows, and
-- `people` of the row without an account counts the others.
CREATE TABLE loss (
    org      BLOB    NOT NULL,
    time     INTEGER NOT NULL,
    id       BLOB    NOT NULL,
    kind     TEXT    NOT NULL,
    cause    TEXT    NOT NULL,
    account  BLOB,
    people   INTEGER NOT NULL,
    PRIMARY KEY (org, time, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX loss_time ON loss (time, org);

-- What was said of many losses at once.
CREATE TABLE alert (
    org       BLOB    NOT NULL,
    id        BLOB    NOT NULL,
    time      INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    people    INTEGER NOT NULL,
    threshold INTEGER NOT NULL,
    sentence  TEXT    NOT NULL,
    causes    TEXT    NOT NULL,
    seen      INTEGER,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_kind ON alert (org, kind, time);
CREATE INDEX alert_unseen ON alert (org, id) WHERE seen IS NULL;

-- What an identity provider could not do because of something here.
CREATE TABLE conflict (
    org         BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    external_id TEXT,
    account     BLOB,
    detail      TEXT    NOT NULL,
    first       INTEGER NOT NULL,
    last        INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    request     BLOB,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX conflict_subject ON conflict (org, kind, subject);
CREATE INDEX conflict_state ON conflict (org, state, last);

-- Manual accounts that an administrator has given free for one person of the identity provider.
CREATE TABLE adoption (
    org          BLOB    NOT NULL,
    name         TEXT    NOT NULL,
    external_id  TEXT,
    account      BLOB    NOT NULL,
    confirmed_by TEXT    NOT NULL,
    until        INTEGER NOT NULL,
    PRIMARY KEY (org, name)
) STRICT, WITHOUT ROWID;

-- How many lines of a file were about accounts, roles and grants; and which ids of the file are others here, because what
-- they stand for was here already, or because another organization has them.
ALTER TABLE import_position ADD COLUMN access INTEGER NOT NULL DEFAULT 0;
CREATE TABLE import_id (
    org     BLOB NOT NULL,
    of_file BLOB NOT NULL,
    id      BLOB NOT NULL,
    PRIMARY KEY (org, of_file)
) STRICT, WITHOUT ROWID;

-- Removed people who are being erased: whoever was interrupted goes on.
CREATE TABLE erasure (
    org     BLOB NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (org, account)
) STRICT, WITHOUT ROWID;
