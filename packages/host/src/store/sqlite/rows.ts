import type {
  Addition,
  Alias,
  Image,
  Instance,
  NewEvent,
  Profile,
  StoredEvent,
} from '../../core/entities.ts';
import { HOST } from './journal-sizes.ts';

type Row = Record<string, unknown>;

const text = (row: Row, column: string): string => row[column] as string;
const json = <T>(row: Row, column: string): T => JSON.parse(text(row, column)) as T;

/** The instance of a row of table `instances`. */
export function instanceOf(row: Row): Instance {
  return {
    id: row['id'] as number,
    name: text(row, 'name'),
    architecture: text(row, 'architecture'),
    description: text(row, 'description'),
    ephemeral: row['ephemeral'] === 1,
    profiles: json(row, 'profiles'),
    config: json(row, 'config'),
    devices: json(row, 'devices'),
    createdAt: text(row, 'created_at'),
    lastStartedAt: text(row, 'last_used_at'),
  };
}

/** The profile of a row of table `profiles`. */
export function profileOf(row: Row): Profile {
  return {
    name: text(row, 'name'),
    description: text(row, 'description'),
    config: json(row, 'config'),
    devices: json(row, 'devices'),
  };
}

/** The image of a row of table `images`. */
export function imageOf(row: Row): Image {
  return json(row, 'body');
}

/** The alias of a row of table `aliases`. */
export function aliasOf(row: Row): Alias {
  return { name: text(row, 'name'), target: text(row, 'target'), description: text(row, 'description') };
}

/** The instance's id and the devices of a row of table `additions`. */
export function additionsOf(row: Row): readonly [instanceId: number, additions: readonly Addition[]] {
  return [row['instance_id'] as number, json(row, 'devices')];
}

/** The event of a row of table `events`. */
export function eventOf(row: Row): StoredEvent {
  return {
    sequence: row['sequence'] as number,
    instanceId: row['instance_id'] as number | null,
    type: text(row, 'type') as StoredEvent['type'],
    timestamp: text(row, 'timestamp'),
    metadata: json(row, 'metadata'),
  };
}

/** The values of a row of table `events`. @param minute of the journal's time */
export function eventColumns(event: NewEvent, sequence: number, minute: number) {
  const { instanceId, type, timestamp, metadata } = event;
  return [sequence, instanceId, type, timestamp, JSON.stringify(metadata), ownerOf(event), minute] as const;
}

/** The instance whose limit an event counts for; 0 for the host. */
export function ownerOf({ instanceId, causedBy }: NewEvent): number {
  return causedBy ?? instanceId ?? HOST;
}
