import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Alias, Image, Instance, Profile, State } from '../core/entities.ts';
import { NUMBERS, type Numbers } from './record-names.ts';

const texts = z.record(z.string(), z.string());
const devices = z.record(z.string(), texts);
const names = z.array(z.string());
const whole = z.int().nonnegative();
const profile = z.object({ name: z.string(), description: z.string(), config: texts, devices });
const instance = z.object({
  ...profile.shape,
  ...{ id: whole, architecture: z.string(), ephemeral: z.boolean(), profiles: names },
  ...{ createdAt: z.string(), lastStartedAt: z.string() },
});
const image = z.looseObject({
  fingerprint: z.string(),
  size: whole,
  profiles: names,
  properties: texts,
  files: z.looseObject({}),
});
const alias = z.object({ name: z.string(), target: z.string(), description: z.string() });
const numbers = z.object({ lastInstanceId: whole, position: whole });

/** What the records of a state directory have. */
export interface Records {
  readonly state: State;
  /** Null if there are none. */
  readonly numbers: Numbers | null;
  /** Names of files that have the name of a record, but not its form. */
  readonly damaged: readonly string[];
}

/** Reads all records in a folder, which may be missing. It leaves out damaged ones. */
export function readRecords(folder: string): Records {
  const instances = new Map<number, Instance>();
  const profiles = new Map<string, Profile>();
  const images = new Map<string, Image>();
  const aliases = new Map<string, Alias>();
  const damaged: string[] = [];
  let last: Numbers | null = null;
  const take: Readonly<Record<string, (value: unknown) => void>> = {
    instance: (value) => put(instances, instance.parse(value), 'id'),
    profile: (value) => put(profiles, profile.parse(value), 'name'),
    image: (value) => put(images, image.parse(value) as unknown as Image, 'fingerprint'),
    alias: (value) => put(aliases, alias.parse(value), 'name'),
    numbers: (value) => {
      last = numbers.parse(value);
    },
  };
  for (const name of namesIn(folder)) {
    const kind =
      /^(instance|profile|image|alias)-\w+\.json$/.exec(name)?.[1] ?? (name === NUMBERS ? 'numbers' : '');
    try {
      take[kind]?.(JSON.parse(readFileSync(join(folder, name), 'utf8')));
    } catch {
      damaged.push(name);
    }
  }
  return { state: { instances, profiles, images, aliases }, numbers: last, damaged };
}

function put<K extends string, T extends Record<K, unknown>>(map: Map<T[K], T>, value: T, key: K): void {
  map.set(value[key], value);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
