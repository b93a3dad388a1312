import { z } from 'zod';
import type { BackupStateJson } from './backup.ts';
import type { FleetStateJson } from './cluster.ts';
import { mapOf, orElse, parse } from './parse.ts';

/** The metadata of GET /1.0. */
export interface ServerJson {
  readonly config: Readonly<Record<string, string>>;
  readonly api_extensions: readonly string[];
  readonly api_status: string;
  readonly api_version: string;
  readonly auth: string;
  readonly public: boolean;
  readonly auth_methods: readonly string[];
  readonly environment: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** A Porthole addition. */
  readonly porthole: PortholeJson;
}

export interface PortholeJson {
  readonly version: string;
  readonly state_dir: string;
  /** How callers of the guest API are identified: `pidfd` or `proc`. */
  readonly identification: string;
  readonly fast_lane: string;
  /** Whether an instance that starts now sees its own figures: `on`, `off`, `absent` or `failed`. */
  readonly lxcfs: string;
  /** Machines of systemd-nspawn that become instances because of their own settings, sorted. */
  readonly machines?: readonly string[];
  readonly backups?: BackupStateJson;
  readonly fleet?: FleetStateJson;
}

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** Reads the body of PUT and PATCH /1.0. @returns server config keys, with their values as text */
export function parseServerConfig(body: unknown): Readonly<Record<string, string>> {
  const { config } = parse(z.object({ config: orElse(mapOf(scalar), {}) }), body);
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value ?? '')]));
}
