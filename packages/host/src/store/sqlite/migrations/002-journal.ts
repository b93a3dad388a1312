/**
 * The journal is read for one instance at a time, and has a floor for each: the position up to which its
 * events may have been dropped. Host events have no instance; their floor is that of id 0. Events that an
 * earlier version has dropped may have been of any instance, so all floors begin there.
 */
export const journal = `
  CREATE INDEX events_by_instance ON events (instance_id);
  CREATE TABLE journal_floors (
    instance_id INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL
  ) STRICT;
  INSERT INTO journal_floors
    SELECT owner.id, dropped.sequence
    FROM (SELECT 0 AS id UNION SELECT id FROM instances) AS owner,
      (SELECT min(sequence) - 1 AS sequence FROM events) AS dropped
    WHERE dropped.sequence > 0;
`;
