import type { DatabaseSync } from 'node:sqlite';
import type { Change, Instance } from '../../core/entities.ts';

/** The key of the meta table that tells operators why this host is no member of a fleet any more. */
export const FLEET_NOTICE = 'fleet-notice';

/** Writes changes with prepared statements. Must be used inside a transaction. */
export interface Writers {
  change(change: Change): void;
}

/** Prepares all writing statements of a database. */
export function writersOf(database: DatabaseSync): Writers {
  const putInstance = database.prepare(`
    INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, architecture = excluded.architecture,
      description = excluded.description, ephemeral = excluded.ephemeral, profiles = excluded.profiles,
      config = excluded.config, devices = excluded.devices, last_used_at = excluded.last_used_at`);
  const deleteInstance = database.prepare('DELETE FROM instances WHERE id = ?');
  const raiseIds = database.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'instances'");
  const beginIds = database.prepare(`
    INSERT INTO sqlite_sequence (name, seq)
    SELECT 'instances', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'instances')`);
  const keepFolder = database.prepare('INSERT OR IGNORE INTO kept_folders VALUES (?)');
  const dropFolder = database.prepare('DELETE FROM kept_folders WHERE instance_id = ?');
  const putAdditions = database.prepare('INSERT OR REPLACE INTO additions VALUES (?, ?)');
  const dropAdditions = database.prepare('DELETE FROM additions WHERE instance_id = ?');
  const putProfile = database.prepare('INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?)');
  const deleteProfile = database.prepare('DELETE FROM profiles WHERE name = ?');
  const putImage = database.prepare(
    'INSERT INTO images VALUES (?, ?) ON CONFLICT (fingerprint) DO UPDATE SET body = excluded.body',
  );
  const deleteImage = database.prepare('DELETE FROM images WHERE fingerprint = ?');
  const putAlias = database.prepare('INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)');
  const deleteAlias = database.prepare('DELETE FROM aliases WHERE name = ?');

  const putFleet = database.prepare('INSERT OR REPLACE INTO fleet VALUES (1, ?, ?, ?)');
  const putMeta = database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
  const leaveFleet = database.prepare('DELETE FROM fleet');
  const clearMirror = database.prepare('DELETE FROM mirror');
  const putMirror = database.prepare('INSERT OR REPLACE INTO mirror VALUES (?, ?)');
  const deleteMirror = database.prepare('DELETE FROM mirror WHERE key = ?');

  const give = (id: number): void => {
    beginIds.run();
    raiseIds.run(id);
  };
  const apply: { [K in Change['kind']]: (change: Extract<Change, { kind: K }>) => void } = {
    'give-instance-id': ({ id }) => give(id),
    'keep-folder': ({ instanceId }) => {
      give(instanceId);
      keepFolder.run(instanceId);
    },
    'drop-folder': ({ instanceId }) => void dropFolder.run(instanceId),
    'put-instance': ({ instance }) => void putInstance.run(...instanceColumns(instance)),
    'delete-instance': ({ id }) => {
      deleteInstance.run(id);
      dropAdditions.run(id);
    },
    'put-additions': ({ instanceId, additions }) =>
      void putAdditions.run(instanceId, JSON.stringify(additions)),
    'drop-additions': ({ instanceId }) => void dropAdditions.run(instanceId),
    'put-profile': ({ profile: { name, description, config, devices } }) =>
      void putProfile.run(name, description, JSON.stringify(config), JSON.stringify(devices)),
    'delete-profile': ({ name }) => void deleteProfile.run(name),
    'put-image': ({ image }) => void putImage.run(image.fingerprint, JSON.stringify(image)),
    'delete-image': ({ fingerprint }) => void deleteImage.run(fingerprint),
    'put-alias': ({ alias }) => void putAlias.run(alias.name, alias.target, alias.description),
    'delete-alias': ({ name }) => void deleteAlias.run(name),
    'put-fleet': ({ fleet: { member, revision, mark } }) => {
      putFleet.run(member, revision, mark ?? null);
      putMeta.run(FLEET_NOTICE, '');
    },
    'leave-fleet': ({ notice }) => {
      leaveFleet.run();
      clearMirror.run();
      putMeta.run(FLEET_NOTICE, notice);
    },
    'put-mirror': ({ key, put }) => void putMirror.run(key, put),
    'delete-mirror': ({ key }) => void deleteMirror.run(key),
    // The journal does it.
    'break-history': () => {},
  };

  return { change: (change) => (apply[change.kind] as (change: Change) => void)(change) };
}

function instanceColumns(instance: Instance) {
  return [
    instance.id,
    instance.name,
    instance.architecture,
    instance.description,
    instance.ephemeral ? 1 : 0,
    JSON.stringify(instance.profiles),
    JSON.stringify(instance.config),
    JSON.stringify(instance.devices),
    instance.createdAt,
    instance.lastStartedAt,
  ] as const;
}
