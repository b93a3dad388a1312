/** What the database knows of itself and of the state directory that it belongs to. */
export const directory = `
  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE kept_folders (
    instance_id INTEGER PRIMARY KEY
  ) STRICT;
`;
