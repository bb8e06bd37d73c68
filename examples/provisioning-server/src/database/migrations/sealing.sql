-- The keys by which secrets of this database are sealed. The keys themselves stand in a file beside it; `proof` is something
-- that was sealed by the key, and shows whether a file holds the right one.
CREATE TABLE sealing_key (
    id    BLOB    NOT NULL PRIMARY KEY,
    made  INTEGER NOT NULL,
    proof BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
