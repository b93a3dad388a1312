/**
 * An event of the host may be an instance's doing, and counts as that instance's then. Each type is found by index.
 * What deleted instances leave is dropped by and by. Age is counted in minutes for which the journal was open, since no clock of the host can be relied on.
 */
export const shares = `
  ALTER TABLE events ADD COLUMN caused_by INTEGER;
  ALTER TABLE events ADD COLUMN minute INTEGER NOT NULL DEFAULT 0;
  DROP INDEX events_by_instance;
  CREATE INDEX events_by_reader ON events (instance_id, type);
  CREATE INDEX events_by_share ON events (coalesce(caused_by, instance_id, 0));
  CREATE TABLE journal_deleted (
    instance_id INTEGER PRIMARY KEY
  ) STRICT;
`;
