-- The name of whoever has mapped a group; empty of what was mapped before it was kept.
ALTER TABLE mapping ADD COLUMN by_whom TEXT NOT NULL DEFAULT '';

-- When the identity provider began to come again after it had been silent for a while: the newest of these times.
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
