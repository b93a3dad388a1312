import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../fuzz/random.ts';
import type { FleetWorld } from './world.ts';

const CLOCK_SECONDS = [-86_400 * 40, -3_600, -7, 7, 3_600, 86_400 * 40] as const;
const SLOW_KBIT = [48, 128, 512] as const;
const DELAY_MS = [20, 150, 700] as const;

/** A fault that was drawn: which hosts it reaches, and how it is made and ended. */
export interface Drawn {
  readonly hosts: readonly string[];
  /** The processes that it ends or stops; no other fault does that at the same time. */
  readonly holds?: readonly string[];
  /** Goes on until the fault is over. @param ms how long it lasts */
  readonly run: (ms: number) => Promise<void>;
}

export type Draw = (world: FleetWorld, random: Random) => Drawn | null;

type Pair = readonly [from: string, to: string];

const both = (some: readonly string[], others: readonly string[]): Pair[] =>
  some.flatMap((one) =>
    others.flatMap((other): Pair[] => [
      [one, other],
      [other, one],
    ]),
  );

const cutting = (world: FleetWorld, hosts: readonly string[], pairs: readonly Pair[]): Drawn => ({
  hosts,
  run: async (ms) => {
    const heal = await world.network.cut(pairs);
    await wait(ms);
    await heal();
  },
});

/** All faults by name, as often as they are drawn. */
export const FAULTS: readonly (readonly [name: string, weight: number, draw: Draw])[] = [
  [
    'member killed',
    3,
    (world, random) => {
      const { name } = random.pick(world.members);
      return {
        ...{ hosts: [name], holds: [name] },
        run: async (ms) => {
          await world.member(name).kill();
          await wait(ms);
          await world.member(name).start();
        },
      };
    },
  ],
  [
    'member restarted in place',
    2,
    (world, random) => {
      const { name } = random.pick(world.members);
      return { hosts: [name], holds: [name], run: () => world.member(name).restartInPlace() };
    },
  ],
  [
    'member stands still',
    2,
    (world, random) => {
      const { name } = random.pick(world.members);
      return {
        ...{ hosts: [name], holds: [name] },
        run: async (ms) => {
          const { pid } = world.member(name);
          process.kill(pid, 'SIGSTOP');
          await wait(ms);
          process.kill(pid, 'SIGCONT');
        },
      };
    },
  ],
  ['etcd node killed', 3, (world, random) => killing(world, [random.pick(world.nodeNames)])],
  [
    'most of etcd killed',
    1,
    (world, random) => {
      const spared = random.pick(world.nodeNames);
      return killing(
        world,
        world.nodeNames.filter((name) => name !== spared),
        world.hosts,
      );
    },
  ],
  [
    'etcd node stands still',
    1,
    (world, random) => {
      const name = random.pick(world.nodeNames);
      return {
        ...{ hosts: [name], holds: [name] },
        run: async (ms) => {
          world.node(name).pause();
          await wait(ms);
          world.node(name).resume();
        },
      };
    },
  ],
  [
    'member cut off from etcd',
    4,
    (world, random) => {
      const { name } = random.pick(world.members);
      return cutting(world, [name], both([name], world.nodeNames));
    },
  ],
  [
    'member does not hear etcd',
    1,
    (world, random) => {
      const { name } = random.pick(world.members);
      return cutting(
        world,
        [name],
        world.nodeNames.map((node): Pair => [node, name]),
      );
    },
  ],
  [
    'etcd does not hear a member',
    1,
    (world, random) => {
      const { name } = random.pick(world.members);
      return cutting(
        world,
        [name],
        world.nodeNames.map((node): Pair => [name, node]),
      );
    },
  ],
  [
    'member cut off from one etcd node',
    2,
    (world, random) => {
      const { name } = random.pick(world.members);
      return cutting(world, [name], both([name], [random.pick(world.nodeNames)]));
    },
  ],
  [
    'members cut off from each other',
    3,
    (world, random) => {
      const alone = random.pick(world.members).name;
      const others = world.members.map(({ name }) => name).filter((name) => name !== alone);
      return cutting(world, [alone, ...others], both([alone], others));
    },
  ],
  [
    'member cut off from all',
    2,
    (world, random) => {
      const { name } = random.pick(world.members);
      return cutting(
        world,
        [name],
        both(
          [name],
          world.hosts.filter((host) => host !== name),
        ),
      );
    },
  ],
  [
    'etcd node cut off from the others',
    2,
    (world, random) => {
      const name = random.pick(world.nodeNames);
      return cutting(
        world,
        [name],
        both(
          [name],
          world.nodeNames.filter((each) => each !== name),
        ),
      );
    },
  ],
  [
    'etcd without a majority',
    2,
    (world) => cutting(world, world.hosts, both(world.nodeNames, world.nodeNames)),
  ],
  [
    'slow link',
    2,
    (world, random) => {
      const name = random.pick(world.hosts);
      const kbit = random.pick(SLOW_KBIT);
      return {
        ...{ hosts: [name], holds: [`link of ${name}`] },
        run: async (ms) => {
          const heal = await world.network.slow(name, kbit);
          await wait(ms);
          await heal();
        },
      };
    },
  ],
  [
    'delay between member and etcd',
    2,
    (world, random) => {
      const delayMs = random.pick(DELAY_MS);
      return {
        ...{ hosts: [world.delayed], holds: ['delay'] },
        run: async (ms) => {
          world.setDelay(delayMs);
          await wait(ms);
          world.setDelay(0);
        },
      };
    },
  ],
  [
    'slow disk',
    2,
    (world, random) => {
      if (!world.disks.canBeSlow) return null;
      const name = random.pick(world.hosts);
      return {
        ...{ hosts: [name], holds: [`disk of ${name}`] },
        run: async (ms) => {
          world.disks.setSlow(name, true);
          await wait(ms);
          world.disks.setSlow(name, false);
        },
      };
    },
  ],
  [
    'clock jumps',
    2,
    (world, random) => {
      const { name } = random.pick(world.members);
      return {
        ...{ hosts: [name], holds: [`clock of ${name}`] },
        run: async (ms) => {
          world.member(name).setClock(random.pick(CLOCK_SECONDS));
          await wait(ms);
          world.member(name).setClock(0);
        },
      };
    },
  ],
  ['compaction while a member is cut off', 2, (world, random) => compacting(world, random, 'cut')],
  ['compaction while a member is gone', 2, (world, random) => compacting(world, random, 'killed')],
];

function killing(world: FleetWorld, names: readonly string[], hosts = names): Drawn {
  return {
    ...{ hosts, holds: names },
    run: async (ms) => {
      await Promise.all(names.map((name) => world.node(name).kill()));
      await wait(ms);
      for (const name of names) world.node(name).start();
    },
  };
}

function compacting(world: FleetWorld, random: Random, how: 'cut' | 'killed'): Drawn {
  const member = world.member(random.pick(world.members).name);
  const { name } = member;
  return {
    hosts: [name],
    ...(how === 'killed' && { holds: [name] }),
    run: async (ms) => {
      const heal = how === 'cut' ? await world.network.cut(both([name], world.nodeNames)) : null;
      if (how === 'killed') await member.kill();
      await wait(ms);
      await world.compact();
      if (heal) await heal();
      else await member.start();
    },
  };
}
