import { type ChildProcess, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { run } from '../../packages/host/src/process/run.ts';

/** A host of the test: a network namespace with one address. */
interface Host {
  readonly name: string;
  readonly address: string;
  readonly holder: ChildProcess;
}

/** The address of this process in the network, which no cut reaches. */
const OWN_ADDRESS = '10.77.0.1';
const READY_MS = 10_000;
const LOOK_MS = 10;

/**
 * Hosts with links between them, all on a bridge of this process's own network namespace. Each namespace is held by a
 * process that ends with this one, and the kernel removes namespaces without processes: so nothing is left, even after
 * a kill.
 */
export class Network implements AsyncDisposable {
  readonly #hosts = new Map<string, Host>();
  /** `from to`, for every direction that lets nothing through. A cut counts as often as it was made. */
  readonly #cuts = new Map<string, number>();
  #work: Promise<unknown> = Promise.resolve();

  /** @throws Error if this process is in the network namespace of the machine */
  static async make(addresses: Readonly<Record<string, string>>): Promise<Network> {
    // A new one has no address, not even the loopback's.
    if (Object.keys(networkInterfaces()).length > 0)
      throw new Error('it needs a network namespace of its own: start it with npm run fleet-faults');
    const network = new Network();
    await must('ip', ['link', 'set', 'lo', 'up']);
    await must('ip', ['link', 'add', 'br0', 'type', 'bridge']);
    await must('ip', ['address', 'add', `${OWN_ADDRESS}/24`, 'dev', 'br0']);
    await must('ip', ['link', 'set', 'br0', 'up']);
    try {
      for (const [name, address] of Object.entries(addresses)) await network.#add(name, address);
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  /** Words before a command that execute it on a host. */
  under(name: string): readonly string[] {
    return ['nsenter', `--net=/proc/${this.#host(name).holder.pid}/ns/net`, '--'];
  }

  address(name: string): string {
    return this.#host(name).address;
  }

  /** Lets nothing through in one direction. @returns takes the cut back */
  async cut(pairs: readonly (readonly [from: string, to: string])[]): Promise<() => Promise<void>> {
    await this.#count(pairs, 1);
    return () => this.#count(pairs, -1);
  }

  /** Makes the link of a host slow, both ways. @returns makes it fast again */
  async slow(name: string, kbit: number): Promise<() => Promise<void>> {
    const rate = ['root', 'tbf', 'rate', `${kbit}kbit`, 'burst', '3k', 'latency', '500ms'];
    const each = async (words: readonly string[], of: readonly string[]) => {
      const port = ['tc', 'qdisc', words[0] as string, 'dev', `p-${name}`, ...of];
      await must(port[0] as string, port.slice(1));
      const inside = [...this.under(name), 'tc', 'qdisc', words[0] as string, 'dev', 'eth0', ...of];
      await must(inside[0] as string, inside.slice(1));
    };
    await this.#next(() => each(['replace'], rate));
    return () => this.#next(() => each(['del'], ['root']));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { holder } of this.#hosts.values()) holder.kill('SIGKILL');
    await run('ip', ['link', 'del', 'br0']);
  }

  #host(name: string): Host {
    const host = this.#hosts.get(name);
    if (!host) throw new Error(`there is no host ${name}`);
    return host;
  }

  async #add(name: string, address: string): Promise<void> {
    const holder = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity'], {
      stdio: 'ignore',
    });
    this.#hosts.set(name, { name, address, holder });
    const own = readlinkSync('/proc/self/ns/net');
    const until = performance.now() + READY_MS;
    while (readlinkSync(`/proc/${holder.pid}/ns/net`) === own) {
      if (performance.now() > until) throw new Error(`the network namespace of ${name} does not come`);
      await wait(LOOK_MS);
    }
    const peer = ['peer', 'name', 'eth0', 'netns', String(holder.pid)];
    await must('ip', ['link', 'add', `p-${name}`, 'type', 'veth', ...peer]);
    await must('ip', ['link', 'set', `p-${name}`, 'master', 'br0', 'up']);
    for (const words of ['link set lo up', `address add ${address}/24 dev eth0`, 'link set eth0 up']) {
      const [command, ...args] = [...this.under(name), 'ip', ...words.split(' ')];
      await must(command as string, args);
    }
  }

  #count(pairs: readonly (readonly [string, string])[], by: 1 | -1): Promise<void> {
    return this.#next(async () => {
      for (const [from, to] of pairs)
        this.#cuts.set(`${from} ${to}`, (this.#cuts.get(`${from} ${to}`) ?? 0) + by);
      await Promise.all([...new Set(pairs.map(([, to]) => to))].map((to) => this.#filter(to)));
    });
  }

  /** Sets from which hosts a host gets nothing. */
  async #filter(to: string): Promise<void> {
    const unheard = [...this.#hosts.values()].filter(
      ({ name }) => (this.#cuts.get(`${name} ${to}`) ?? 0) > 0,
    );
    const rules = unheard.map(({ address }) => `ip saddr ${address} drop;`).join(' ');
    const input = [
      'add table inet faults',
      'delete table inet faults',
      `table inet faults {`,
      `chain heard {`,
      `type filter hook input priority 0; ${rules}`,
      '}',
      '}',
      '',
    ].join('\n');
    const [command, ...args] = [...this.under(to), 'nft', '-f', '-'];
    await must(command as string, args, input);
  }

  /** One change at a time. */
  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }
}

async function must(command: string, args: readonly string[], input?: string): Promise<void> {
  const { ok, failure } = await run(command, args, input === undefined ? {} : { input });
  if (!ok) throw new Error(`${command} ${args.join(' ')}: ${failure}`);
}
