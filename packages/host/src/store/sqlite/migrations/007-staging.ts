/**
 * A large change is staged: its rows are written in slices before its commit. Events with later numbers than the
 * newest are not true yet. Staged instances become true with the key `instances-moving` of the meta table; from
 * then on they stand for the rows of the other table, until they are moved there.
 */
export const staging = `
  CREATE TABLE journal_newest (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL
  ) STRICT;
  INSERT INTO journal_newest
    SELECT 1, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0);
  CREATE TABLE staged_instances (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL
  ) STRICT;
`;
