/** Devices being added to running instances: a later daemon removes those not stored with the instance. */
export const additions = `
  CREATE TABLE additions (
    instance_id INTEGER PRIMARY KEY,
    devices TEXT NOT NULL
  ) STRICT;
`;
