import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { EtcdOptions } from '../client.ts';
import { Authority } from './certificates.ts';
import { EtcdNode } from './etcd-node.ts';
import { makeUsers, OPERATOR, type UserRow } from './users.ts';

/** A cluster to start. */
export interface ClusterSetup {
  /** Nodes; 1 by default. */
  readonly nodes?: number;
  /** `server`: clients check it; `both`: it also checks clients. */
  readonly tls?: 'none' | 'server' | 'both';
  /** What etcd's own certificate is for. Its gateway needs both if it checks clients. */
  readonly purposes?: string;
  /** Users besides root; present, even if empty, etcd asks for passwords. */
  readonly users?: readonly UserRow[];
  /** Further flags of etcd. */
  readonly flags?: readonly string[];
  /** Addresses of the nodes, instead of free ones on the loopback. */
  readonly addresses?: readonly string[];
  /** Before the command of each node: a command that executes it, such as `ip netns exec NAME`. */
  readonly under?: (index: number) => readonly string[];
}

const CLIENT_PORT = 2379;
const PEER_PORT = 2380;

/** Real etcd nodes in a temporary folder, on addresses of their own. They end with the process that started them. */
export class EtcdCluster {
  readonly folder: string;
  readonly nodes: readonly EtcdNode[];
  /** Present with TLS. It has signed `server`, `client` and `named`; `client` has no common name. */
  readonly authority: Authority | undefined;
  readonly #setup: ClusterSetup;

  private constructor(
    folder: string,
    authority: Authority | undefined,
    nodes: EtcdNode[],
    setup: ClusterSetup,
  ) {
    this.folder = folder;
    this.authority = authority;
    this.nodes = nodes;
    this.#setup = setup;
  }

  /** Starts all nodes, and waits until they have a leader. Leaves nothing behind if that fails. */
  static async start(setup: ClusterSetup = {}): Promise<EtcdCluster> {
    const folder = mkdtempSync('/var/tmp/porthole-test-etcd-');
    const started: EtcdNode[] = [];
    try {
      const addresses = setup.addresses ?? freeAddresses(setup.nodes ?? 1);
      const authority = await certificatesOf(folder, addresses, setup);
      started.push(...addresses.map((_, index) => nodeOf(folder, addresses, index, setup)));
      const cluster = new EtcdCluster(folder, authority, started, setup);
      for (const node of started) node.start();
      await Promise.all(started.map((node) => node.ready()));
      if (setup.users) await makeUsers(cluster.options({ login: undefined }), setup.users);
      return cluster;
    } catch (error) {
      await endAll(folder, started);
      throw error;
    }
  }

  get endpoints(): readonly string[] {
    return this.nodes.map(({ endpoint }) => endpoint);
  }

  /** How a client reaches it, with all rights. @param changes of that; `login: undefined` is none */
  options(changes: Partial<EtcdOptions> | { readonly login: undefined } = {}): EtcdOptions {
    const { tls = 'none', users } = this.#setup;
    const files = this.authority?.files(tls === 'both' ? 'client' : undefined);
    const all = {
      endpoints: this.endpoints,
      ...(files && { tls: files }),
      ...(users && { login: OPERATOR }),
      ...changes,
    };
    const { login, ...rest } = all;
    return login ? { ...rest, login } : rest;
  }

  node(index: number): EtcdNode {
    const node = this.nodes[index];
    if (!node) throw new Error(`there is no node ${index}`);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.folder, this.nodes);
  }
}

async function endAll(folder: string, nodes: readonly EtcdNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.kill()));
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Addresses on the loopback that nobody else has. So the ports can be fixed, and no other program can take one while
 * a node is restarted.
 */
function freeAddresses(count: number): string[] {
  const network = `127.${randomInt(1, 255)}.${randomInt(0, 255)}`;
  const first = randomInt(1, 250 - count);
  return Array.from({ length: count }, (_, index) => `${network}.${first + index}`);
}

async function certificatesOf(
  folder: string,
  addresses: readonly string[],
  { tls = 'none', purposes = 'serverAuth,clientAuth' }: ClusterSetup,
): Promise<Authority | undefined> {
  if (tls === 'none') return undefined;
  const authority = await Authority.make(folder, 'ca');
  await authority.sign('server', purposes, { addresses });
  await authority.sign('client', 'clientAuth', { subject: '/O=Porthole' });
  await authority.sign('named', 'clientAuth');
  return authority;
}

function nodeOf(folder: string, addresses: readonly string[], index: number, setup: ClusterSetup): EtcdNode {
  const { tls = 'none', flags = [], under = () => [] } = setup;
  const address = addresses[index] ?? '';
  const peers = addresses.map((each, at) => `node${at}=http://${each}:${PEER_PORT}`);
  const client = `${tls === 'none' ? 'http' : 'https'}://${address}:${CLIENT_PORT}`;
  const peer = `http://${address}:${PEER_PORT}`;
  const name = `node${index}`;
  const own = [`--name=${name}`, `--data-dir=${join(folder, name)}`, '--logger=zap'];
  const urls = [`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`];
  const peerUrls = [`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`];
  // The lowest cost of a check of passwords.
  const users = setup.users ? ['--bcrypt-cost=4'] : [];
  const all = [
    ...own,
    ...urls,
    ...peerUrls,
    `--initial-cluster=${peers.join(',')}`,
    ...users,
    ...tlsFlags(folder, tls),
  ];
  return new EtcdNode(name, client, [...under(index), 'etcd', ...all, ...flags]);
}

function tlsFlags(folder: string, tls: 'none' | 'server' | 'both'): string[] {
  if (tls === 'none') return [];
  const own = [`--cert-file=${join(folder, 'server.crt')}`, `--key-file=${join(folder, 'server.key')}`];
  if (tls === 'server') return own;
  return [...own, '--client-cert-auth', `--trusted-ca-file=${join(folder, 'ca.crt')}`];
}
