import { setTimeout as sleep } from 'node:timers/promises';
import { TourFailure, type Transcript } from '../transcript.ts';

/** A member of the tour's fleet. */
export interface TourMember {
  readonly name: string;
  /** Runs commands against this member's daemon. */
  readonly shell: Transcript;
  /** Ends its daemon as a crash does. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** What the steps use. */
export interface TourFleet {
  readonly members: readonly [TourMember, TourMember, TourMember];
  /** Ends a node of etcd as a crash does. */
  killEtcd(): Promise<void>;
}

/** One part of the tour: shows something and checks it. */
export interface FleetStep {
  readonly title: string;
  readonly show: (fleet: TourFleet) => Promise<void>;
}

const IMAGE = 'busybox';
const PROFILE = 'greeted';
const KEY = 'user.greeting';
const INSTANCES = ['one', 'two', 'three'] as const;

/** A dead member is known to be gone when its lease of five seconds has ended. */
const OFFLINE_MS_MAX = 20_000;
const PAUSE_MS = 200;

/** The tour, in order. */
export const FLEET_STEPS: readonly FleetStep[] = [
  { title: 'Three hosts become one fleet', show: join },
  { title: 'An instance on each member', show: launch },
  { title: 'Any member takes any request', show: askAnywhere },
  { title: 'A change crosses hosts, and arrives inside as an event', show: changeProfile },
  { title: 'A member dies, and holds up nobody', show: loseMember },
  { title: 'It comes back, and has missed nothing', show: comeBack },
  { title: 'etcd loses a node, and the fleet goes on', show: loseNode },
];

/** Deletes what the tour has made. @throws TourFailure if an instance is left */
export async function deleteAll({ members: [ma] }: TourFleet): Promise<void> {
  for (const name of INSTANCES) await ma.shell.quiet(['delete', name, '--force']);
  await ma.shell.quiet(['profile', 'delete', PROFILE]);
  const { text } = await ma.shell.quiet(['list', '--format', 'csv', '--columns', 'n']);
  if (text.trim() !== '') throw new TourFailure(`The tour has left something behind: ${text.trim()}`);
}

async function join({ members }: TourFleet): Promise<void> {
  for (const { name, shell } of members) {
    const { text } = await shell.quiet(['cluster', 'list', '--format', 'csv']);
    if (text.includes(`${name},`)) shell.say(`${name} is a member already.`);
    else await shell.run(['cluster', 'enable'], { prints: /member/ });
  }
  await members[2].shell.run(['cluster', 'list'], {
    prints: /ma .*ONLINE[\s\S]*mb .*ONLINE[\s\S]*mc .*ONLINE/,
  });
}

async function launch({ members }: TourFleet): Promise<void> {
  const [ma, mb] = members;
  const aliases = await ma.shell.quiet(['image', 'alias', 'list', '--format', 'csv']);
  if (!aliases.text.startsWith(`${IMAGE},`)) await ma.shell.run(['image', 'build', IMAGE]);
  const profiles = await ma.shell.quiet(['profile', 'list', '--format', 'csv']);
  if (!profiles.text.includes(`${PROFILE},`)) await ma.shell.run(['profile', 'create', PROFILE]);
  await ma.shell.run(['profile', 'set', PROFILE, `${KEY}=hello`]);
  const there = await ma.shell.quiet(['list', '--format', 'csv', '--columns', 'n']);
  for (const [at, name] of INSTANCES.entries()) {
    if (there.text.split('\n').includes(name)) continue;
    const profile = ['--profile', 'default', '--profile', PROFILE];
    await ma.shell.run(['launch', IMAGE, name, ...profile, '--target', members[at]?.name ?? '']);
  }
  mb.shell.say('The members that lacked the image have fetched it. All of them see all instances:');
  await mb.shell.run(['list'], { prints: /one .*ma[\s\S]*three .*mc[\s\S]*two .*mb/ });
}

async function askAnywhere({ members: [ma, mb] }: TourFleet): Promise<void> {
  await ma.shell.run(['exec', 'three', '--', 'hostname'], { prints: /^three$/m });
  await mb.shell.run(['config', 'set', 'three', 'user.from=mb']);
  await ma.shell.run(['exec', 'three', '--', 'devlxd', '/1.0/config/user.from'], { prints: /^mb$/m });
  await ma.shell.run(['exec', 'three', '--', 'devlxd', '/1.0'], { prints: /"location":"mc"/ });
}

async function changeProfile({ members: [ma, mb] }: TourFleet): Promise<void> {
  await ma.shell.run(['profile', 'set', PROFILE, `${KEY}=hello`]);
  const events = mb.shell.watch(['exec', 'three', '--', 'devlxd', '-i', 'events', 'config']);
  try {
    await events.line(/^HTTP\/1\.1 200 OK/);
    await ma.shell.run(['profile', 'set', PROFILE, `${KEY}=good evening`]);
    await events.line(/"key":"user\.greeting","old_value":"hello","value":"good evening"/);
  } finally {
    await events.end();
  }
  await mb.shell.run(['exec', 'three', '--', 'devlxd', `/1.0/config/${KEY}`], { prints: /^good evening$/m });
}

async function loseMember({ members: [ma, mb, mc] }: TourFleet): Promise<void> {
  ma.shell.say('The daemon of mc is killed (kill -9).');
  await mc.kill();
  await until(ma, ['cluster', 'list'], /mc .*OFFLINE/);
  await ma.shell.run(['cluster', 'list'], { prints: /mc .*OFFLINE/ });
  await mb.shell.run(['list'], { prints: /three .*ERROR/ });
  await ma.shell.run(['profile', 'set', PROFILE, `${KEY}=good night`]);
  await ma.shell.run(['exec', 'one', '--', 'devlxd', `/1.0/config/${KEY}`], { prints: /^good night$/m });
  await ma.shell.run(['config', 'set', 'three', 'user.from=ma'], { code: 1, prints: /mc/ });
}

async function comeBack({ members: [ma, , mc] }: TourFleet): Promise<void> {
  await mc.start();
  await until(ma, ['exec', 'three', '--', 'devlxd', `/1.0/config/${KEY}`], /good night/);
  await ma.shell.run(['exec', 'three', '--', 'devlxd', `/1.0/config/${KEY}`], { prints: /^good night$/m });
  await ma.shell.run(['cluster', 'list'], { prints: /mc .*ONLINE/ });
}

async function loseNode({ members: [ma, mb], killEtcd }: TourFleet): Promise<void> {
  ma.shell.say('One of three nodes of etcd is killed: two are a majority.');
  await killEtcd();
  await until(ma, ['profile', 'set', PROFILE, `${KEY}=good morning`], /^$/);
  await mb.shell.run(['exec', 'two', '--', 'devlxd', `/1.0/config/${KEY}`], { prints: /^good morning$/m });
}

/** Runs a command again and again, without showing it, until its output is the expected one. */
async function until({ shell }: TourMember, words: readonly string[], expected: RegExp): Promise<void> {
  const end = performance.now() + OFFLINE_MS_MAX;
  for (;;) {
    const { text } = await shell.quiet(words);
    if (expected.test(text)) return;
    if (performance.now() > end)
      throw new TourFailure(`porthole ${words.join(' ')} never printed ${expected}`);
    await sleep(PAUSE_MS);
  }
}
