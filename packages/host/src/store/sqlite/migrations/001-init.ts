/** First schema: one row per object, keys and devices as JSON text, and the journal of events. */
export const init = `
  CREATE TABLE instances (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    architecture TEXT NOT NULL,
    description TEXT NOT NULL,
    ephemeral INTEGER NOT NULL,
    profiles TEXT NOT NULL,
    config TEXT NOT NULL,
    devices TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE profiles (
    name TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    config TEXT NOT NULL,
    devices TEXT NOT NULL
  ) STRICT;
  CREATE TABLE images (
    fingerprint TEXT PRIMARY KEY,
    body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE aliases (
    name TEXT PRIMARY KEY,
    target TEXT NOT NULL REFERENCES images (fingerprint) DEFERRABLE INITIALLY DEFERRED,
    description TEXT NOT NULL
  ) STRICT;
  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_id INTEGER,
    type TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    metadata TEXT NOT NULL
  ) STRICT;
`;
