/** An attack by one neighbour while others ask; `load/native/attacks` has the programs. */
export interface Attack {
  /** Its name for `--attack`, and the column of its figures. */
  readonly name: string;
  readonly title: string;
  /** Which attack the program runs; several attacks may run the same one from different places. */
  readonly program: string;
  readonly place: Place;
  /** User id in that place. */
  readonly uid: number;
  /** A further argument that the program needs. */
  readonly argument?: 'image' | 'position';
  /** Attacker and probes use the server of `load/native/plain.c` instead of the daemon. */
  readonly server?: 'plain';
  /** What an operator does at the same time. */
  readonly operator?: 'changes large keys';
}

/** Inside an instance, or beside the daemon on the host. */
export type Place = 'instance' | 'host';

/** Threads of every attack and of its control: more than a small machine has cores. */
export const WORKERS = 4;

const ROOT = 0;
const SOMEBODY = 1000;
const NOBODY = 65_534;

const inside = (name: string, title: string, more: Partial<Attack> = {}): Attack => ({
  name,
  title,
  program: name,
  place: 'instance',
  uid: ROOT,
  ...more,
});

const onHost = (name: string, title: string, program: string): Attack => ({
  name,
  title,
  program,
  place: 'host',
  uid: NOBODY,
});

/** The controls: as many threads in the same place, which make no requests. */
export const CONTROLS: Readonly<Record<Place, Attack>> = {
  instance: inside('spin', 'control: threads that only spin'),
  host: onHost('nobody-spin', 'control: nobody on the host spins', 'spin'),
};

/**
 * The cost of a fork storm by itself: as many threads in the same place, whose processes make no requests.
 */
const FORKS: Readonly<Record<Place, Attack>> = {
  instance: inside('forks', 'compared: processes that end, and ask nothing'),
  host: onHost('nobody-forks', 'compared: the same by nobody on the host', 'forks'),
};

/** All attacks, in the order of the report. */
export const ATTACKS: readonly Attack[] = [
  inside('fork-storm', 'processes that are gone when accepted'),
  inside('fork-storm-held', 'such processes, their sockets kept open'),
  inside('connect-root', 'connect and close, root', { program: 'connect-close' }),
  inside('connect-user', 'connect and close, another user', { program: 'connect-close', uid: SOMEBODY }),
  inside('long-queries', 'queries of 15 KB with If-None-Match'),
  inside('wide-queries', 'queries of 64 KB, main thread'),
  inside('deep-since', 'events since 0 of an unknown type', { argument: 'position' }),
  inside('since-list', 'events since 0, 256 of them', { argument: 'position' }),
  inside('chunked', 'bodies in chunks of one byte'),
  inside('json', 'JSON bodies of 64 KB'),
  inside('websocket', 'WebSockets: handshakes, tiny frames, pings'),
  inside('pipelining', 'plain requests, 64 in a row'),
  inside('slow-heads', 'heads that come a byte at a time'),
  inside('listeners', 'listeners that never read, keys of 200 KB', { operator: 'changes large keys' }),
  inside('put', 'PUT of a key'),
  inside('patch', 'PATCH of the state'),
  inside('images', 'image downloads', { argument: 'image' }),
  onHost('nobody-fork-storm', 'nobody on the host: fork storm', 'fork-storm'),
  onHost('nobody-fork-storm-held', 'nobody on the host: the same, sockets kept open', 'fork-storm-held'),
  onHost('nobody-connect', 'nobody on the host: connect and close', 'connect-close'),
];

const STORMS = ATTACKS.filter(({ program }) => program.startsWith('fork-storm'));

/** The same fork storms on a server that could not do less: what they cost others with any daemon. */
const PLAIN: readonly Attack[] = STORMS.map((storm) => ({
  ...storm,
  name: `plain-${storm.name}`,
  title: `compared: ${storm.name} on a plain server`,
  server: 'plain',
}));

/** All that attacks are compared with, beside the controls. */
export const COMPARED: readonly Attack[] = [...Object.values(FORKS), ...PLAIN];

/** What some of the attacks are compared with: storms without requests, and storms on a plain server. */
export function comparedWith(attacks: readonly Attack[]): Attack[] {
  const storms = STORMS.filter((storm) => attacks.includes(storm));
  const forks = new Set(storms.map(({ place }) => FORKS[place]));
  return [...forks, ...storms.flatMap((storm) => PLAIN[STORMS.indexOf(storm)] ?? [])];
}

/** Attacks by their names. @throws Error that names an unknown one */
export function attacksOf(list: string): Attack[] {
  return list.split(',').map((name) => {
    const attack = ATTACKS.find((each) => each.name === name);
    if (!attack)
      throw new Error(`--attack: there is no "${name}", only ${ATTACKS.map((each) => each.name).join(', ')}`);
    return attack;
  });
}
