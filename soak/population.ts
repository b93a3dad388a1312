import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { takeImage } from '../bench/peers/container.ts';
import type { Portholed } from '../bench/peers/porthole.ts';
import { buildBusybox } from '../packages/host/src/build/busybox.ts';
import { path } from '../packages/host/src/client/host-client.ts';
import { Guests, type GuestsOptions, type Stage } from './guests.ts';
import { Ledger } from './ledger.ts';
import type { Plan } from './plan.ts';
import type { Tally } from './tally.ts';

/** Host uid of the first adopted container's root: far from the uids of LXC's instances. */
const FIRST_UID = 400_000;
/** How many adoptions run at a time. */
const ADOPTERS = 8;
const PROGRAM = new URL('./programs/guests.pl', import.meta.url);

interface Scene {
  readonly plan: Plan;
  readonly folder: string;
  readonly daemon: Portholed;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

/** All instances of a soak, with a guest in each: first the adopted ones, then the containers. */
export class Population implements AsyncDisposable {
  readonly daemon: Portholed;
  /** Names of all instances, by the number of their guest. */
  readonly names: readonly string[];
  /** Names of those that are containers of LXC. */
  readonly containers: readonly string[];
  readonly #guests: Guests[] = [];
  readonly #scene: Scene;

  private constructor(scene: Scene) {
    const { adopted, containers } = scene.plan;
    this.#scene = scene;
    this.daemon = scene.daemon;
    this.names = Array.from({ length: adopted + containers }, (_, number) => `guest-${number}`);
    this.containers = this.names.slice(adopted);
  }

  /** Makes all of them. They end with the population; the containers when the daemon is destroyed. */
  static async make(scene: Scene): Promise<Population> {
    const population = new Population(scene);
    try {
      await copyFile(PROGRAM, population.#program);
      await scene.daemon.client.change('PATCH', '/1.0/profiles/default', {
        json: { config: { 'user.shared': '0' } },
      });
      await population.#adopt();
      await population.#launchAll();
      return population;
    } catch (error) {
      await population[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Creates and starts a container. @returns the host pid of its init */
  async launch(name: string): Promise<number> {
    const { client } = this.daemon;
    const source = { type: 'image', alias: 'busybox' };
    await client.change('POST', '/1.0/instances', { json: { name, source, config: Ledger.configOf(name) } });
    const json = { action: 'start', timeout: 30, force: true };
    await client.change('PUT', path`/1.0/instances/${name}/state`, { json });
    return (await client.get<{ pid: number }>(path`/1.0/instances/${name}/state`)).pid;
  }

  /** Takes all guests to a stage. */
  async to(stage: Stage): Promise<void> {
    await Promise.all(this.#guests.map((each) => each.to(stage)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#guests.map((each) => each[Symbol.asyncDispose]()));
  }

  get #program(): string {
    return join(this.#scene.folder, 'guests.pl');
  }

  async #adopt(): Promise<void> {
    const { plan, daemon, signal } = this.#scene;
    const guests = this.#start({ first: 0, count: plan.adopted, place: { firstUid: FIRST_UID } });
    await guests.made();
    const waiting = guests.pids.entries();
    const adopt = async () => {
      for (const [number, pid] of waiting) {
        signal.throwIfAborted();
        const name = this.names[number] as string;
        const json = { name, source: { type: 'adopt', pid }, config: Ledger.configOf(name) };
        await daemon.client.change('POST', '/1.0/instances', { json });
      }
    };
    await Promise.all(Array.from({ length: ADOPTERS }, adopt));
  }

  async #launchAll(): Promise<void> {
    const { plan, folder, daemon, signal } = this.#scene;
    const images = join(folder, 'images');
    await mkdir(images);
    const image = join(images, 'busybox.tar.gz');
    await buildBusybox({ path: image, onProgress: () => {} });
    await takeImage(daemon.client, image, 'busybox');
    for (const [at, name] of this.containers.entries()) {
      signal.throwIfAborted();
      const init = await this.launch(name);
      this.#start({ first: plan.adopted + at, count: 1, place: { init } });
    }
  }

  #start(options: Pick<GuestsOptions, 'first' | 'count' | 'place'>): Guests {
    const { plan, daemon, tally } = this.#scene;
    const seconds = this.names.length / plan.rate;
    const shared = { program: this.#program, socket: daemon.guestSocket, seconds, seed: plan.seed };
    const guests = new Guests({ ...shared, ...options }, tally);
    this.#guests.push(guests);
    return guests;
  }
}
