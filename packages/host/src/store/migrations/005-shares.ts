/**
 * An event of the host (share 0) may be an instance's doing, and is in that instance's share then. Each type is found by index.
 * What deleted instances leave is dropped by and by. Age is counted in minutes for which the journal was open, since no clock of the host can be relied on.
 */
export const shares = `
  ALTER TABLE events ADD COLUMN share INTEGER NOT NULL DEFAULT 0;
  UPDATE events SET share = instance_id WHERE instance_id IS NOT NULL;
  ALTER TABLE events ADD COLUMN minute INTEGER NOT NULL DEFAULT 0;
  DROP INDEX events_by_instance;
  CREATE INDEX events_by_reader ON events (instance_id, type);
  CREATE INDEX events_by_share ON events (share);
  CREATE TABLE journal_deleted (
    instance_id INTEGER PRIMARY KEY
  ) STRICT;
`;
