/** Facts about the database, such as the id of its state directory, and folders that must not be removed. */
export const directory = `
  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE kept_folders (
    instance_id INTEGER PRIMARY KEY
  ) STRICT;
`;
