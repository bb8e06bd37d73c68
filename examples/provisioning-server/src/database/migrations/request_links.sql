-- Requests are found by the resource that they were about: by an index of their own, and not by rows beside them. They are numbered
-- within their organization, and 4,096 numbers are a period: so what is written now lies together, in whatever order people are
-- named. A request that was refused, and was about nothing that is there, is found by the name that it asked for.
ALTER TABLE request ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN period INTEGER NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN asked_for TEXT;
UPDATE request SET
    number = counted.number,
    period = counted.number / 4096,
    asked_for = CASE WHEN resource_id IS NULL THEN (
        SELECT max(t.subject) FROM touched t WHERE t.org = request.org AND t.sequence = request.sequence) END
FROM (SELECT org, sequence, row_number() OVER (PARTITION BY org ORDER BY sequence) AS number FROM request) counted
WHERE counted.org = request.org AND counted.sequence = request.sequence;
CREATE INDEX request_resource ON request (org, period, resource_id, sequence) WHERE resource_id IS NOT NULL;
CREATE INDEX request_asked_for ON request (org, asked_for, sequence) WHERE asked_for IS NOT NULL;
DROP TABLE touched;
