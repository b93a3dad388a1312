import { z } from 'zod';
import { config, deviceChanges, devices, given, orElse, parse, text } from './parse.ts';
import { wireError } from './wire-errors.ts';

/** An instance as LXD's API shows it. {@link InstanceFullJson} adds state, snapshots and backups. */
export interface InstanceJson {
  readonly name: string;
  readonly type: 'container';
  readonly architecture: string;
  readonly status: string;
  readonly status_code: number;
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly expanded_config: Readonly<Record<string, string>>;
  readonly expanded_devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly profiles: readonly string[];
  readonly ephemeral: boolean;
  readonly stateful: boolean;
  readonly description: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly location: string;
  readonly project: string;
}

/** An instance with its live state, for requests with recursion. */
export interface InstanceFullJson extends InstanceJson {
  readonly state: InstanceStateJson | null;
  readonly snapshots: null;
  readonly backups: null;
}

/** GET /1.0/instances/NAME/state. */
export interface InstanceStateJson {
  readonly status: string;
  readonly status_code: number;
  readonly pid: number;
  readonly processes: number;
  readonly cpu: { readonly usage: number };
  readonly memory: {
    readonly usage: number;
    readonly usage_peak: number;
    readonly swap_usage: number;
    readonly swap_usage_peak: number;
  };
  /** Bytes; `total` is absent without a limit. */
  readonly disk: Readonly<Record<string, { readonly usage: number; readonly total?: number }>>;
  readonly network: Readonly<Record<string, NetworkJson>> | null;
  /** A Porthole addition: the number of hung programs that work for the instance; absent if it is 0. */
  readonly stuck?: number;
  /** A Porthole addition: the weight in percent of the usual one while it is lowered because of a fork storm. */
  readonly lowered_weight?: number;
}

export interface NetworkJson {
  readonly type: string;
  readonly state: string;
  readonly mtu: number;
  readonly hwaddr: string;
  readonly host_name: string;
  readonly addresses: readonly {
    readonly family: string;
    readonly address: string;
    readonly netmask: string;
    readonly scope: string;
  }[];
  readonly counters: Readonly<Record<string, number>>;
}

const createSchema = z.object({
  name: orElse(text, ''),
  type: orElse(z.string(), ''),
  architecture: orElse(text, ''),
  description: orElse(text, ''),
  ephemeral: orElse(z.boolean(), false),
  stateful: orElse(z.boolean(), false),
  instance_type: orElse(z.string(), ''),
  profiles: orElse(z.array(text).nullable(), null),
  config: orElse(config, {}),
  devices: orElse(devices, {}),
  source: orElse(z.looseObject({ type: orElse(z.string(), '') }), { type: '' }),
});

const sourceSchema = z.object({
  fingerprint: orElse(text, ''),
  alias: orElse(text, ''),
  server: orElse(z.string(), ''),
});

/** A Porthole addition: the host pid of the init of an instance that another runtime has started. */
const pid = z.number().int().min(1);
const adoptSchema = z.object({ pid });

/** The source of a new instance's root filesystem. */
export type InstanceSource =
  | { readonly type: 'image'; readonly fingerprint: string }
  | { readonly type: 'image'; readonly alias: string }
  | { readonly type: 'none' }
  | { readonly type: 'adopt'; readonly pid: number };

/**
 * Reads the body of POST /1.0/instances.
 * @throws CodedError 400 for a wrong field, an unknown source, or a feature of LXD that Porthole lacks
 */
export function parseNewInstance(body: unknown) {
  const { type, stateful, instance_type, source, ...input } = parse(createSchema, body);
  if (type !== '' && type !== 'container') throw wireError('instance-type', type);
  if (stateful) throw wireError('stateful-instance');
  if (instance_type) throw wireError('instance-size', instance_type);
  return { ...input, source: parseSource(source) };
}

function parseSource(source: { readonly type: string }): InstanceSource {
  if (source.type === 'none') return { type: 'none' };
  if (source.type === 'adopt')
    return { type: 'adopt', ...parse(z.object({ source: adoptSchema }), { source }).source };
  if (source.type === 'copy' || source.type === 'migration' || source.type === 'backup')
    throw wireError('not-an-image');
  if (source.type !== 'image') throw wireError('unknown-source', source.type);
  const { fingerprint, alias, server } = parse(z.object({ source: sourceSchema }), { source }).source;
  if (server) throw wireError('remote-image');
  if (fingerprint) return { type: 'image', fingerprint };
  if (alias) return { type: 'image', alias };
  throw wireError('no-image');
}

const fieldsSchema = z.object({
  architecture: orElse(text, ''),
  description: orElse(text, ''),
  ephemeral: orElse(z.boolean(), false),
  profiles: orElse(z.array(text), []),
  config: orElse(config, {}),
  devices: orElse(devices, {}),
  restore: orElse(z.string(), ''),
  stateful: orElse(z.boolean(), false),
});

/**
 * Reads the body of PUT /1.0/instances/NAME: a field that is not given is empty, `profiles: null` means none.
 * @throws CodedError 400 for a restore: it has no other fields, so as a change it would empty the instance
 */
export function parseInstanceFields(body: unknown) {
  const { restore, stateful, ...fields } = parse(fieldsSchema, body);
  if (restore) throw wireError('no-snapshots');
  if (stateful) throw wireError('stateful-instance');
  return fields;
}

const patchSchema = z.object({
  architecture: text.nullish(),
  description: text.nullish(),
  ephemeral: z.boolean().nullish(),
  profiles: z.array(text).nullish(),
  config: config.nullish(),
  devices: deviceChanges.nullish(),
  restore: z.string().nullish(),
  stateful: z.boolean().nullish(),
});

/** Reads the body of PATCH /1.0/instances/NAME. @returns only the fields that are given */
export function parseInstancePatch(body: unknown) {
  const { restore, stateful, ...fields } = parse(patchSchema, body);
  if (restore) throw wireError('no-snapshots');
  if (stateful) throw wireError('stateful-instance');
  return given(fields);
}

const renameSchema = z.object({ name: orElse(text, ''), migration: orElse(z.boolean(), false) });

/** Reads the body of POST /1.0/instances/NAME. @returns the new name */
export function parseInstanceRename(body: unknown): string {
  const { name, migration } = parse(renameSchema, body);
  if (migration) throw wireError('no-migration');
  return name;
}

/** The timeout of a request that names none: the instance may take as long as it needs to shut down. */
const NO_LIMIT = -1;

const stateSchema = z.object({
  action: orElse(z.string(), ''),
  timeout: orElse(z.number().int().min(-1), NO_LIMIT),
  force: orElse(z.boolean(), false),
  stateful: orElse(z.boolean(), false),
  pid: pid.nullish(),
});

/** The supported actions of PUT /1.0/instances/NAME/state. */
const ACTIONS = ['start', 'stop', 'restart', 'freeze', 'unfreeze'] as const;

/** Reads the body of PUT /1.0/instances: the change is for all. @throws CodedError 400 `Unknown action: 'x'` */
export function parseStatesRequest(body: unknown) {
  const { state } = parse(z.object({ state: orElse(z.looseObject({}), {}) }), body);
  const { action, timeout, force } = parseStateRequest(state);
  return { action, timeout, force };
}

/** Reads the body of PUT /1.0/instances/NAME/state. @throws CodedError 400 `Unknown action: 'x'` */
export function parseStateRequest(body: unknown) {
  const { action: name, timeout, force, stateful, pid: init } = parse(stateSchema, body);
  const action = ACTIONS.find((known) => known === name);
  if (!action) throw wireError('unknown-action', name);
  if (stateful) throw wireError('stateful-change');
  return { action, timeout, force, ...(init ? { pid: init } : {}) };
}
