import { z } from 'zod';
import { orElse, parse, text } from './parse.ts';
import { wireError } from './wire-errors.ts';

/** The metadata of GET /1.0/cluster. */
export interface ClusterJson {
  /** The name of this member; empty on a single host. */
  readonly server_name: string;
  readonly enabled: boolean;
  readonly member_config: readonly never[];
}

export type MemberStatus = 'Online' | 'Offline' | 'Joining' | 'Leaving';

/** A member of the fleet, as LXD shows the members of its clusters. */
export interface MemberJson {
  readonly server_name: string;
  readonly url: string;
  /** Always false, and no roles: etcd has the records. */
  readonly database: boolean;
  readonly roles: readonly string[];
  readonly failure_domain: string;
  readonly description: string;
  readonly config: Readonly<Record<string, never>>;
  readonly groups: readonly string[];
  readonly status: MemberStatus;
  readonly message: string;
  readonly architecture: string;
  /** A Porthole addition. */
  readonly porthole: {
    /** Where it answers other members, as `HOST:PORT`. */
    readonly address: string;
    /** sha256 of its certificate in DER form, hex. */
    readonly fingerprint: string;
    readonly version: string;
    /** How many instances it has. */
    readonly instances: number;
    /** RFC 3339. */
    readonly joined_at: string;
  };
}

/** The fleet in GET /1.0 (Porthole addition). */
export interface FleetStateJson {
  /** The name of this member; null on a single host. */
  readonly member: string | null;
  /** Names of all members. */
  readonly members: readonly string[];
  /** Names of the members that are offline. */
  readonly offline: readonly string[];
  /** Since when this member is cut off, RFC 3339; null if it is not. */
  readonly cut_off_since: string | null;
  /** What operators have to know, such as why this host is a single host; null if there is nothing. */
  readonly notice: string | null;
}

/** What a single host wants when it becomes a member; null: the default. */
export interface EnableWish {
  readonly name: string | null;
  readonly address: string | null;
}

const enableSchema = z.object({ server_name: orElse(text, ''), address: orElse(text, '') });

/** Reads the body of POST /1.0/cluster (Porthole addition). */
export function parseEnable(body: unknown): EnableWish {
  const { server_name: name, address } = parse(enableSchema, body);
  return { name: name || null, address: address || null };
}

const clusterSchema = z.object({
  enabled: orElse(z.boolean(), false),
  server_name: orElse(text, ''),
  server_address: orElse(text, ''),
  cluster_address: orElse(text, ''),
});

/**
 * Reads the body of PUT /1.0/cluster, with which LXD's clients make a server the first member of a cluster.
 * @returns null if the request makes the server a single host
 * @throws CodedError 400 for LXD's way to join a cluster, by the address of a member
 */
export function parseClusterChange(body: unknown): EnableWish | null {
  const { enabled, server_name: name, server_address: address, cluster_address } = parse(clusterSchema, body);
  if (cluster_address) throw wireError('join-by-address');
  return enabled ? { name: name || null, address: address || null } : null;
}
