/** Devices on their way into a running instance: a later daemon takes out what was not stored with the instance. */
export const additions = `
  CREATE TABLE additions (
    instance_id INTEGER PRIMARY KEY,
    devices TEXT NOT NULL
  ) STRICT;
`;
