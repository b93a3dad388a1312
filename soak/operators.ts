import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { hasStatus } from '../packages/host/src/client/client-errors.ts';
import { exec } from '../packages/host/src/client/exec.ts';
import { readFile, writeFile } from '../packages/host/src/client/files.ts';
import { type HostClient, path } from '../packages/host/src/client/host-client.ts';
import type { InstanceJson } from '../packages/host/src/wire/instance.ts';
import type { Ledger } from './ledger.ts';
import type { Population } from './population.ts';
import type { Tally } from './tally.ts';

/** What operators do, and how long they rest after each time. */
const REST_MS = {
  key: 100,
  profile: 10_000,
  list: 5_000,
  command: 2_000,
  file: 2_000,
  launch: 8_000,
} as const;
type Action = keyof typeof REST_MS;

/** Statuses of an instance that runs; it is `Ready` when its guest has said so. */
const RUNNING: readonly string[] = ['Running', 'Ready'];
const CONFLICT = 409;
const CONFLICTS_MAX = 5;
const FILE_BYTES = 64 * 1024;
const FILE = '/root/pushed';

interface Scene {
  readonly population: Population;
  readonly ledger: Ledger;
  readonly tally: Tally;
  /** A random whole number below a limit. */
  readonly below: (limit: number) => number;
}

/** Operators at work: one for each action, again and again until `stop`. */
export class Operators {
  readonly #scene: Scene;
  readonly #client: HostClient;
  readonly #end = new AbortController();
  readonly #loops: Promise<void>[];
  readonly #busy = new Map<Action, Promise<void>>();
  #gate: Promise<void> = Promise.resolve();
  #open = () => {};
  #launched = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#client = scene.population.daemon.client;
    const { ledger } = scene;
    const { names } = scene.population;
    this.#loops = [
      this.#loop('key', () => ledger.changeKey(names[scene.below(names.length)] as string)),
      this.#loop('profile', () => this.#persist(() => ledger.changeProfile())),
      this.#loop('list', () => this.#list()),
      this.#loop('command', () => this.#command()),
      this.#loop('file', () => this.#push()),
      this.#loop('launch', () => this.#launch()),
    ];
  }

  /** Lets only keys be changed from now on, and waits until all other actions are over. */
  async pause(): Promise<void> {
    const gate = Promise.withResolvers<void>();
    this.#gate = gate.promise;
    this.#open = gate.resolve;
    await Promise.all([...this.#busy].map(([action, work]) => (action === 'key' ? undefined : work)));
  }

  resume(): void {
    this.#open();
  }

  /** Ends all actions, each after its last time. */
  async stop(): Promise<void> {
    this.#end.abort();
    this.#open();
    await Promise.all(this.#loops);
  }

  /** As an operator does who is told to try again, because another has changed a profile meanwhile. */
  async #persist(work: () => Promise<void>): Promise<void> {
    for (let told = 0; ; told++) {
      try {
        return await work();
      } catch (error) {
        if (!hasStatus(error, CONFLICT) || told === CONFLICTS_MAX) throw error;
        this.#scene.tally.conflicts++;
      }
    }
  }

  async #loop(action: Action, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      if (action !== 'key') await this.#gate;
      const done = work().catch((error: unknown) => {
        this.#scene.tally.failure({ what: `operator ${action}`, why: `${error}` });
      });
      this.#busy.set(action, done);
      await done;
      await wait(REST_MS[action], undefined, { signal }).catch(() => {});
    }
  }

  async #list(): Promise<void> {
    const all = await this.#client.get<InstanceJson[]>('/1.0/instances?recursion=1');
    const running = new Set(all.flatMap(({ name, status }) => (RUNNING.includes(status) ? [name] : [])));
    const missing = this.#scene.population.names.filter((name) => !running.has(name));
    if (missing.length > 0) throw new Error(`the list has no running ${missing.slice(0, 5).join(', ')}`);
  }

  async #command(): Promise<void> {
    const { containers } = this.#scene.population;
    await this.#askInside(containers[this.#scene.below(containers.length)] as string);
  }

  async #push(): Promise<void> {
    const { containers } = this.#scene.population;
    const name = containers[this.#scene.below(containers.length)] as string;
    const bytes = Buffer.alloc(FILE_BYTES, this.#scene.below(256));
    await writeFile(this.#client, name, FILE, { type: 'file', content: Readable.from([bytes]) });
    const read = await readFile(this.#client, name, FILE);
    if (read.type !== 'file' || !bytes.equals(await buffer(read.content)))
      this.#scene.tally.wrong.add(`${name}: ${FILE} is not as it was pushed`);
  }

  async #launch(): Promise<void> {
    const name = `extra-${this.#launched++}`;
    await this.#scene.population.launch(name);
    await this.#askInside(name);
    const json = { action: 'stop', timeout: 30, force: true };
    await this.#client.change('PUT', path`/1.0/instances/${name}/state`, { json });
    await this.#client.change('DELETE', path`/1.0/instances/${name}`);
  }

  /** A program inside asks for its own name. */
  async #askInside(name: string): Promise<void> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const command = ['devlxd', '/1.0/config/user.id'];
    const request = {
      command,
      environment: {},
      interactive: false,
      width: 0,
      height: 0,
      user: 0,
      group: 0,
      cwd: '',
    };
    const session = await exec(this.#client, name, request, { stdin: null, stdout, stderr });
    const { code, err } = await session.ended;
    const [said, complaint] = await Promise.all([stdout, stderr].map((each) => buffer(each.end())));
    if (code !== 0) throw new Error(`devlxd in ${name}: ${code} ${err}${complaint}`);
    if (`${said}`.trim() !== name) this.#scene.tally.wrong.add(`devlxd in ${name} said ${said}`);
  }
}
