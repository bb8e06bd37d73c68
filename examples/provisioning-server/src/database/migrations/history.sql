-- Which endpoint a request went to, and whether it failed: what the history is searched by.
ALTER TABLE request ADD COLUMN endpoint TEXT NOT NULL DEFAULT 'other';
ALTER TABLE request ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
UPDATE request SET
    endpoint = CASE resource_type WHEN 'User' THEN 'users' WHEN 'Group' THEN 'groups' ELSE 'other' END,
    failed = status >= 400;
CREATE INDEX request_endpoint ON request (org, endpoint, failed, sequence);
-- The id of a request is empty where it is its sequence.
UPDATE request SET request_id = '' WHERE replace(request_id, '-', '') = lower(hex(sequence));
CREATE INDEX request_id ON request (org, request_id, sequence) WHERE request_id <> '';

-- Which person or group a request was about.
CREATE TABLE touched (
    org      BLOB NOT NULL,
    subject  TEXT NOT NULL,
    sequence BLOB NOT NULL,
    PRIMARY KEY (org, subject, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX touched_request ON touched (org, sequence);
INSERT INTO touched (org, subject, sequence)
    SELECT org, resource_id, sequence FROM request WHERE resource_id IS NOT NULL;

-- Which people and groups a request has changed beside that one, such as members: at most 1,000, numbered within the request.
-- Beyond that, one row without a subject goes on counting with its number. A period is a few thousand links: those that are
-- written now lie together, in whatever order people are named.
CREATE TABLE named (
    org      BLOB    NOT NULL,
    period   INTEGER NOT NULL,
    subject  TEXT    NOT NULL,
    sequence BLOB    NOT NULL,
    number   INTEGER NOT NULL,
    PRIMARY KEY (org, period, subject, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX named_request ON named (org, sequence, number);

CREATE TABLE named_period (
    org    BLOB    NOT NULL,
    period INTEGER NOT NULL,
    links  INTEGER NOT NULL,
    PRIMARY KEY (org, period)
) STRICT, WITHOUT ROWID;

-- By which names and external ids people and groups were known that are known otherwise now, or are gone.
CREATE TABLE subject_name (
    org     BLOB NOT NULL,
    name    TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (org, name, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX subject_name_subject ON subject_name (org, subject);
INSERT INTO subject_name (org, name, subject)
    SELECT DISTINCT org, external_id, resource_id FROM request
    WHERE external_id IS NOT NULL AND resource_id IS NOT NULL;

-- Bodies of requests, masked, for a day.
CREATE TABLE request_body (
    org      BLOB NOT NULL,
    sequence BLOB NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (org, sequence)
) STRICT, WITHOUT ROWID;

-- How often a tolerance was needed in an hour (counted since 1970), and for what.
CREATE TABLE tolerance_use (
    org       BLOB    NOT NULL,
    hour      INTEGER NOT NULL,
    tolerance TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (org, hour, tolerance, subject)
) STRICT, WITHOUT ROWID;

-- When the identity provider came with a token for the first and for the last time.
CREATE TABLE connection (
    org   BLOB    NOT NULL PRIMARY KEY,
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO connection (org, first, last)
    SELECT org, min(time), max(time) FROM request WHERE token IS NOT NULL GROUP BY org;

-- When it began to come again after it had been silent for a while: the newest of these times.
CREATE TABLE synchronisation (
    org   BLOB    NOT NULL,
    begun INTEGER NOT NULL,
    PRIMARY KEY (org, begun)
) STRICT, WITHOUT ROWID;

-- How many requests of an hour (counted since 1970) were answered as they were meant, and how many were refused.
CREATE TABLE activity (
    org       BLOB    NOT NULL,
    hour      INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    PRIMARY KEY (org, hour)
) STRICT, WITHOUT ROWID;
INSERT INTO activity (org, hour, succeeded, refused)
    SELECT org, time / 3600000000, sum(1 - failed), sum(failed) FROM request GROUP BY org, time / 3600000000;

-- The open conflicts of a person or group: a later request that succeeds resolves them.
CREATE INDEX conflict_open ON conflict (org, subject) WHERE state = 'open';

DROP VIEW history;
CREATE VIEW history AS
WITH told AS (
    SELECT *, lower(coalesce(resource_type, 'resource')) AS noun FROM request
), tried AS (
    SELECT *, CASE operation
        WHEN 'create' THEN 'create a ' || noun
        WHEN 'get' THEN 'read a ' || noun
        WHEN 'query' THEN 'look for ' || noun || 's'
        WHEN 'query-all' THEN 'look for ' || noun || 's'
        WHEN 'replace' THEN 'replace a ' || noun
        WHEN 'patch' THEN 'change a ' || noun
        WHEN 'delete' THEN 'delete a ' || noun
        WHEN 'discover' THEN 'read what the service can do'
        WHEN 'options' THEN 'ask what can be done'
        ELSE 'unknown request'
    END AS attempt FROM told
)
SELECT org, sequence, time, method, path, endpoint, status, failed, scim_type, duration_us,
    CASE
        WHEN sentence <> '' THEN sentence
        WHEN status = 404 THEN 'not found: ' || attempt
        WHEN status = 501 THEN 'not supported: ' || attempt
        WHEN status >= 500 THEN 'failed: ' || attempt
        WHEN status >= 400 THEN 'rejected: ' || attempt
        WHEN total IS NOT NULL THEN 'looked for ' || noun || 's: ' || total || ' found'
        WHEN operation IN ('create', 'replace', 'patch') THEN 'changed nothing: the ' || noun || ' was like that already'
        ELSE attempt
    END AS meaning,
    resource_type, resource_id, external_id, token,
    CASE WHEN request_id <> '' THEN request_id ELSE lower(
        substr(hex(sequence), 1, 8) || '-' || substr(hex(sequence), 9, 4) || '-' || substr(hex(sequence), 13, 4) || '-' ||
        substr(hex(sequence), 17, 4) || '-' || substr(hex(sequence), 21)) END AS request_id,
    idp, notes, error
FROM tried;
