/** The parts of the benchmark, by their letters. */
export const PARTS = {
  a: 'Keep-alive GETs',
  b: 'One connection per request',
  c: 'Boot storm: all instances at once, in cloud-init’s sequence, a new connection each time',
  d: 'From a config change to its event',
  e: 'Image export',
  f: 'Fleet: three members on one etcd, beside a single host',
  g: 'Growth with the number of instances',
  h: 'Launch, delete, start-up',
  k: 'Crowds: thousands of adopted instances, hundreds of containers',
  l: 'Installed: the built form, beside its sources, LXD and LXD’s client',
  m: 'Memory',
  n: 'Neighbours: what others notice of an attack',
  o: 'Sixty containers: killed, restarted, listed',
  p: 'Containers of another runtime: what the hook adds to a start',
} as const;

export type Part = keyof typeof PARTS;

interface Figure {
  readonly part: Part;
  readonly title: string;
  readonly unit: string;
}

/** Makes figures of one unit. */
const inUnit =
  (unit: string) =>
  (part: Part, title: string): Figure => ({ part, title, unit });

const rate = inUnit('requests/s');
const latency = inUnit('ms');
const seconds = inUnit('s');
const mebibytes = inUnit('MiB');
const kibibytes = inUnit('KiB');
const throughput = inUnit('GB/s');
const count = inUnit('');

/** All figures. The columns of a figure are peers, or numbers of instances or listeners. */
export const FIGURES = {
  'keepalive-1-server': rate('a', '/1.0, 1 connection'),
  'keepalive-16-server': rate('a', '/1.0, 16 connections'),
  'keepalive-64-server': rate('a', '/1.0, 64 connections'),
  'keepalive-1-key': rate('a', 'a config key, 1 connection'),
  'keepalive-16-key': rate('a', 'a config key, 16 connections'),
  'keepalive-64-key': rate('a', 'a config key, 64 connections'),
  'churn-server': rate('b', '/1.0, 16 at a time'),
  'churn-key': rate('b', 'a config key, 16 at a time'),
  'storm-seconds': seconds('c', 'until all have their answers'),
  'storm-rate': rate('c', 'all together'),
  'storm-p99': latency('c', 'one instance from first to last, p99'),
  'event-median': latency('d', 'one listener, median'),
  'event-p99': latency('d', 'one listener, p99'),
  'listeners-median': latency('d', 'so many listeners, median'),
  'listeners-p99': latency('d', 'so many listeners, p99'),
  'stopped-median': latency('d', '1,000 listeners, the others’ median'),
  'stopped-used': mebibytes('d', 'memory used by the daemon'),
  'stopped-resident': mebibytes('d', 'memory resident'),
  'stopped-cost': kibibytes('d', 'used more than while all read'),
  'stopped-bound': kibibytes('d', 'the limit for that'),
  'export-1': throughput('e', '1 at a time'),
  'export-8': throughput('e', '8 at once'),
  'export-latency-median': latency('e', 'a config key meanwhile, median'),
  'export-latency-p99': latency('e', 'a config key meanwhile, p99'),
  'memory-rest': mebibytes('m', 'daemon at rest, with so many instances'),
  'memory-instance': kibibytes('m', 'an instance'),
  'memory-connection': kibibytes('m', 'an idle connection'),
  'memory-listener': kibibytes('m', 'a listener (WebSocket)'),
  'files-listening': count('m', 'open files, all instances listening'),
  'answered-seconds': seconds('m', 'all instances connect and are answered'),
  'fleet-key-median': latency('f', 'a key, set at another member, to its event: median'),
  'fleet-key-p99': latency('f', 'a key, set at another member, to its event: p99'),
  'fleet-profile-median': latency('f', 'a key of a profile, to the event at another member: median'),
  'fleet-profile-p99': latency('f', 'a key of a profile, to the event at another member: p99'),
  'fleet-profile-answer': latency('f', 'a key of a profile, to the operator’s answer: median'),
  'fleet-etcd-median': latency('f', 'a transaction, to the event of a watch: median'),
  'fleet-etcd-p99': latency('f', 'a transaction, to the event of a watch: p99'),
  'fleet-keepalive': rate('f', 'keep-alive, 16 connections'),
  'fleet-churn': rate('f', 'one connection per request, 16 at a time'),
  'fleet-edit': seconds('f', 'profile edit, to the operator’s answer'),
  'fleet-edit-last': seconds('f', 'to the last event in an instance'),
  'fleet-edit-p99': latency('f', 'main threads late meanwhile, p99'),
  'fleet-edit-most': latency('f', 'main threads late meanwhile, longest'),
  'fleet-away': seconds('f', 'cut off from etcd for'),
  'fleet-missed': count('f', 'changes meanwhile'),
  'fleet-catch-up': seconds('f', 'from the end of that to the event of the last change'),
  'fleet-lost': count('f', 'events lost'),
  'fleet-doubled': count('f', 'events doubled, or out of order'),
  'fleet-join': seconds('f', 'a host with so many instances joins'),
  'fleet-join-p99': latency('f', 'its main thread late meanwhile, p99'),
  'fleet-join-most': latency('f', 'its main thread late meanwhile, longest'),
  'fleet-join-others-p99': latency('f', 'the members’ main threads late meanwhile, p99'),
  'fleet-join-others-most': latency('f', 'the members’ main threads late meanwhile, longest'),
  'fleet-memory': mebibytes('f', 'the daemon at rest'),
  'growth-keepalive': rate('g', 'keep-alive, 16 connections'),
  'growth-churn': rate('g', 'one connection per request, 16 at a time'),
  'growth-event-median': latency('g', 'change to event, all listening, median'),
  'growth-event-p99': latency('g', 'change to event, all listening, p99'),
  launch: latency('h', 'launch of a small container'),
  delete: latency('h', 'delete of a running one'),
  'start-up': seconds('h', 'start-up with so many running instances'),
  'start-all': seconds('h', 'until all of them have an answer'),
  'crowd-list-before': seconds('k', 'lxc list -c ns, before the edit'),
  'crowd-edit': seconds('k', 'profile edit of one key, with so many users'),
  'crowd-edit-p99': latency('k', 'main thread late meanwhile, p99'),
  'crowd-edit-most': latency('k', 'main thread late meanwhile, longest'),
  'crowd-list': seconds('k', 'lxc list -c ns, right after the edit'),
  'crowd-answer': seconds('k', 'the answer to it, for a client that only reads'),
  'crowd-start': seconds('k', 'start to the first answer'),
  'containers-list': seconds('k', 'lxc list, so many containers'),
  'containers-restart': seconds('k', 'SIGHUP to the answer for an operator'),
  'containers-autostart': seconds('k', 'boot.autostart of a third of them, from the daemon’s start'),
  'neighbour-kept-median': latency('n', 'kept connection, median'),
  'neighbour-kept-p99': latency('n', 'kept connection, p99'),
  'neighbour-fresh-median': latency('n', 'new connection, median'),
  'neighbour-fresh-p99': latency('n', 'new connection, p99'),
  'neighbour-main-median': latency('n', 'main thread, median'),
  'neighbour-main-p99': latency('n', 'main thread, p99'),
  'neighbour-operator': latency('n', 'porthole config set, longest'),
  'neighbour-answers': count('n', 'fewest answers of a probe'),
  'neighbour-missed': count('n', 'answers missed, all probes'),
  'neighbour-full': count('n', 'connects to a full queue (EAGAIN)'),
  'neighbour-attack': { part: 'n', title: 'what the attack did', unit: '1/s' },
  'neighbour-files': count('n', 'descriptors of the daemon'),
  'neighbour-memory': mebibytes('n', 'memory of the daemon'),
  'floods-files': count('n', 'open files'),
  'floods-memory': mebibytes('n', 'memory (Pss)'),
  'floods-seconds': seconds('n', 'until then'),
  'start-empty': seconds('l', 'start to the first answer, empty store'),
  command: latency('l', 'a command that lists instances'),
  rest: mebibytes('l', 'at rest, with all its processes (Pss), empty store'),
  'rest-many': mebibytes('l', 'more with so many adopted instances'),
  'killed-start': seconds('o', 'kill -9 and start, to the first answer in one'),
  'hang-up': seconds('o', 'SIGHUP to the answer for an operator'),
  'list-first': seconds('o', 'lxc list, the first one'),
  'list-next': seconds('o', 'lxc list, the next'),
  'hook-start': latency('p', 'runc run, to the end of the container'),
  'hook-adds': latency('p', 'the difference'),
} as const satisfies Record<string, Figure>;

export type FigureKey = keyof typeof FIGURES;
