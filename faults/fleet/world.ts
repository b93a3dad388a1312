import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildBusybox } from '../../packages/host/src/build/busybox.ts';
import { uploadImage } from '../../packages/host/src/client/upload.ts';
import { EtcdCluster } from '../../packages/host/src/etcd/testing/etcd-cluster.ts';
import type { EtcdNode } from '../../packages/host/src/etcd/testing/etcd-node.ts';
import { Disks } from './disks.ts';
import { FleetDaemon } from './member.ts';
import { Network } from './network.ts';
import { CHANGED_PROFILES } from './operators.ts';
import { nowMs } from './time.ts';
import { Witness } from './witness.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PREFIX = '/porthole/';
const NODES = { e0: '10.77.0.11', e1: '10.77.0.12', e2: '10.77.0.13' } as const;
const MEMBERS = { ma: '10.77.0.21', mb: '10.77.0.22', mc: '10.77.0.23' } as const;
const PORT = 8443;
const ETCD_PORT = 2379;
const LOOK_MS = 100;
const FLEET_MS = 60_000;

/** Three nodes of etcd and three members of a fleet, each on a host of its own. */
export class FleetWorld implements AsyncDisposable {
  readonly folder: string;
  readonly network: Network;
  readonly disks: Disks;
  readonly members: readonly FleetDaemon[];
  readonly witness: Witness;
  /** The member between which and etcd a program passes bytes on. */
  readonly delayed = 'mc';
  /** When etcd forgot revisions. */
  readonly compactions: number[] = [];
  readonly #etcd: EtcdCluster;
  readonly #stack: AsyncDisposableStack;
  readonly #delay: ChildProcess;

  private constructor(
    stack: AsyncDisposableStack,
    parts: { folder: string; network: Network; disks: Disks; etcd: EtcdCluster; root: string },
  ) {
    const { folder, network, disks, etcd, root } = parts;
    this.#stack = stack;
    this.folder = folder;
    this.network = network;
    this.disks = disks;
    this.#etcd = etcd;
    const direct = Object.values(NODES).map((address) => `http://${address}:${ETCD_PORT}`);
    this.witness = stack.use(new Witness(direct, PREFIX));
    const ports = Object.values(NODES).map((address, index) => [ETCD_PORT + index, address] as const);
    this.#delay = this.#startDelay(ports);
    const passed = ports.map(([port]) => `http://127.0.0.1:${port}`);
    this.members = Object.entries(MEMBERS).map(([name, address]) => {
      const endpoints = name === this.delayed ? passed : direct;
      const settings = {
        ...{ store: 'etcd', 'etcd-endpoints': endpoints.join(','), 'etcd-prefix': PREFIX },
        ...{ 'member-address': `${address}:${PORT}`, 'server-name': name },
        ...{ 'journal-events': '10000000', 'journal-instance-events': '1000000' },
      };
      const flags = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]);
      const under = [...network.under(name), ...disks.under(name)];
      const program = join(root, 'bin/portholed');
      return new FleetDaemon({ name, folder: join(folder, name), under, program, flags });
    });
    stack.defer(() => Promise.all(this.members.map((member) => member.kill())).then(() => {}));
  }

  /** @param root of the checkout whose daemon is tried */
  static async make(root = ROOT): Promise<FleetWorld> {
    const stack = new AsyncDisposableStack();
    try {
      const folder = mkdtempSync('/var/tmp/porthole-fleet-faults-');
      stack.defer(() => rmSync(folder, { recursive: true, force: true }));
      chmodSync(folder, 0o711);
      const network = stack.use(await Network.make({ ...NODES, ...MEMBERS }));
      const disks = stack.use(new Disks(folder));
      const names = Object.keys(NODES);
      const etcd = stack.use(
        await EtcdCluster.start({
          addresses: Object.values(NODES),
          under: (index) => [
            ...network.under(names[index] as string),
            ...disks.under(names[index] as string),
          ],
        }),
      );
      const world = new FleetWorld(stack, { folder, network, disks, etcd, root });
      await Promise.all(world.members.map((member) => member.start()));
      return world;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  get nodeNames(): readonly string[] {
    return Object.keys(NODES);
  }

  get hosts(): readonly string[] {
    return [...Object.keys(NODES), ...Object.keys(MEMBERS)];
  }

  member(name: string): FleetDaemon {
    const found = this.members.find((each) => each.name === name);
    if (!found) throw new Error(`there is no member ${name}`);
    return found;
  }

  node(name: string): EtcdNode {
    return this.#etcd.node(this.nodeNames.indexOf(name));
  }

  setDelay(ms: number): void {
    this.#delay.stdin?.write(`${ms}\n`);
  }

  /** Lets etcd forget all that the witness knows. */
  async compact(): Promise<void> {
    // Members may be told from now on that they have missed something.
    this.compactions.push(nowMs());
    await this.witness.compact(this.witness.known);
  }

  /** Makes an image on a member, and the profiles that are changed. @returns the image's fingerprint */
  async furnish(member: FleetDaemon): Promise<string> {
    const file = join(this.folder, 'busybox.tar.gz');
    await buildBusybox({ path: file, onProgress: () => {} });
    const { client } = member;
    const fingerprint = await uploadImage(
      client,
      { kind: 'unified', file },
      { public: true, properties: {} },
    );
    for (const name of CHANGED_PROFILES)
      await client.change('POST', '/1.0/profiles', {
        json: { name, description: '', config: {}, devices: {} },
      });
    return fingerprint;
  }

  /** Makes a host a member of the fleet, and waits until it is one. */
  async join(member: FleetDaemon): Promise<void> {
    const json = { server_name: member.name, address: '' };
    await member.client.change('POST', '/1.0/cluster', { json });
    await this.#until(`${member.name} is a member`, async () => {
      const { enabled } = await member.client.get<{ enabled: boolean }>('/1.0/cluster');
      return enabled;
    });
  }

  /** Resolves when every member sees every other one. */
  allOnline(): Promise<void> {
    return this.#until('all members are online', async () => {
      const lists = await Promise.all(
        this.members.map(({ client }) =>
          client.get<{ status: string }[]>('/1.0/cluster/members?recursion=1'),
        ),
      );
      return lists.every(
        (list) => list.length === this.members.length && list.every(({ status }) => status === 'Online'),
      );
    });
  }

  /** Copies the logs of the daemons into a folder. */
  keepLogs(folder: string): void {
    for (const { name, log } of this.members) copyFileSync(log, join(folder, `${name}.log`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #until(fact: string, holds: () => Promise<boolean>): Promise<void> {
    const until = nowMs() + FLEET_MS;
    let last: unknown;
    for (;;) {
      try {
        if (await holds()) return;
      } catch (error) {
        last = error;
      }
      if (nowMs() > until) throw new Error(`it did not come to this: ${fact} (${String(last)})`);
      await wait(LOOK_MS);
    }
  }

  #startDelay(ports: readonly (readonly [number, string])[]): ChildProcess {
    const program = fileURLToPath(new URL('./delay.ts', import.meta.url));
    const args = [process.execPath, program, ...ports.flat().map(String)];
    const command = [...this.network.under(this.delayed), ...args];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.#stack.defer(() => void child.kill('SIGKILL'));
    return child;
  }
}
