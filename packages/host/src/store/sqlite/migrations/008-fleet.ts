/**
 * The fleet that this host is a member of, if there is one, and what it keeps of the objects that are only elsewhere.
 */
export const fleet = `
  CREATE TABLE fleet (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    member TEXT NOT NULL,
    revision INTEGER NOT NULL,
    mark TEXT
  ) STRICT;
  CREATE TABLE mirror (
    key TEXT PRIMARY KEY,
    put TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
