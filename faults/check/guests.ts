import { execFileSync } from 'node:child_process';
import { pointsOf } from './host.ts';
import { expandedOf, type InstanceRow, type Rows } from './rows.ts';

/** Between the answers in what a guest prints. */
const MARK = '=====';
const TIMEOUT_MS = 20_000;

/** Asks the guest API from inside an instance, with its own netcat. @returns the body of each answer */
function askInside(init: number, paths: readonly string[]): string[] {
  const script = paths
    .map(
      (path) =>
        `printf 'GET ${path} HTTP/1.0\\r\\nHost: lxd\\r\\nConnection: close\\r\\n\\r\\n' | nc.openbsd -U /dev/lxd/sock; echo '${MARK}'`,
    )
    .join('\n');
  const words = ['-t', String(init), '-a', '-S', '0', '-G', '0', '--', '/bin/sh', '-c', script];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  const printed = execFileSync('nsenter', words, {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env,
    stdio: 'pipe',
  });
  return printed.split(`${MARK}\n`).map((answer) => answer.slice(answer.indexOf('\r\n\r\n') + 4));
}

/** Compares what a running instance sees with what the store has, in sentences. @param init its pid on the host */
export function checkGuest(rows: Rows, instance: InstanceRow, init: number): string[] {
  const { config, devices } = expandedOf(rows, instance);
  const points = pointsOf(init);
  const isOn = config['security.devlxd'] !== 'false';
  const disks = Object.values(devices).flatMap(({ type, path, required }) =>
    type === 'disk' && path !== undefined && path !== '/' && required !== 'false' ? [path] : [],
  );
  const mounted = points.filter((point) => point === '/dev/lxd').length;
  return [
    ...(mounted === (isOn ? 1 : 0) ? [] : [`/dev/lxd is mounted ${mounted} times`]),
    ...disks
      .filter((path) => points.filter((point) => point === path).length !== 1)
      .map((path) => `${path} is mounted ${points.filter((point) => point === path).length} times`),
    ...points
      .filter((point) => point.startsWith('/fault') && !disks.includes(point))
      .map((point) => `${point} is mounted and no device`),
    ...(isOn ? checkAnswers(rows, instance, init) : []),
  ].map((sentence) => `${instance.name}: ${sentence}`);
}

function checkAnswers(rows: Rows, instance: InstanceRow, init: number): string[] {
  const { config, devices } = expandedOf(rows, instance);
  const keys = Object.keys(config).filter((key) => key.startsWith('user.'));
  const paths = ['/1.0/meta-data', '/1.0/devices', '/1.0/events?since=0&limit=1000&type=config,device'];
  let answers: string[];
  try {
    answers = askInside(init, [...paths, ...keys.map((key) => `/1.0/config/${key}`)]);
  } catch (error) {
    return [`the guest API cannot be asked: ${(error as Error).message.slice(0, 200)}`];
  }
  const [metaData = '', seen = '', events = '', ...values] = answers;
  return [
    ...(metaData.includes(`local-hostname: ${instance.name}`) ? [] : ['its meta-data has another name']),
    ...keys
      .filter((key, at) => values[at] !== config[key])
      .map((key) => `it reads ${key}=${values[keys.indexOf(key)]}, not ${config[key]}`),
    ...(namesOf(seen) === Object.keys(devices).sort().join() ? [] : [`it sees the devices ${namesOf(seen)}`]),
    ...checkEvents(rows, instance, events),
  ];
}

function namesOf(json: string): string {
  try {
    return Object.keys(JSON.parse(json) as object)
      .sort()
      .join();
  } catch {
    return `not JSON: ${json.slice(0, 100)}`;
  }
}

/** The journal that the instance reads is the one in the store: all of its events, in order, none twice. */
function checkEvents(rows: Rows, { id }: InstanceRow, text: string): string[] {
  const stored = rows.events.filter(({ instanceId }) => instanceId === id).map(({ sequence }) => sequence);
  try {
    const { events } = JSON.parse(text) as { events: { sequence: number }[] };
    const read = events.map(({ sequence }) => sequence);
    return read.join() === stored.join() ? [] : [`it reads the events ${read}, not ${stored}`];
  } catch {
    return [`it cannot read its events: ${text.slice(0, 100)}`];
  }
}
