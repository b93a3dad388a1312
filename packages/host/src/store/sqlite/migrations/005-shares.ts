/**
 * An event of the host (share 0) that an instance has caused is in that instance's share. Each type is found
 * by an index. Events of deleted instances are dropped a few at a time. Age is counted in minutes in which
 * the journal was open, since no clock of the host can be relied on.
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
