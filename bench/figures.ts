/** The parts of the benchmark, by their letters. */
export const PARTS = {
  a: 'Keep-alive GETs',
  b: 'One connection per request',
  c: 'Boot storm: all instances at once, in cloud-init’s sequence, a new connection each time',
  d: 'From a config change to its event',
  e: 'Image export',
  f: 'Memory',
  g: 'Growth with the number of instances',
  h: 'Launch, delete, start-up',
  n: 'Neighbours: what others notice of an attack',
  o: 'Sixty containers: killed, restarted, listed',
} as const;

export type Part = keyof typeof PARTS;

interface Figure {
  readonly part: Part;
  readonly title: string;
  readonly unit: string;
}

const rate = (part: Part, title: string): Figure => ({ part, title, unit: 'requests/s' });

const latency = (part: Part, title: string): Figure => ({ part, title, unit: 'ms' });

/** Everything that is measured; its columns are peers, or numbers of instances or listeners. */
export const FIGURES = {
  'keepalive-1-server': rate('a', '/1.0, 1 connection'),
  'keepalive-16-server': rate('a', '/1.0, 16 connections'),
  'keepalive-64-server': rate('a', '/1.0, 64 connections'),
  'keepalive-1-key': rate('a', 'a config key, 1 connection'),
  'keepalive-16-key': rate('a', 'a config key, 16 connections'),
  'keepalive-64-key': rate('a', 'a config key, 64 connections'),
  'churn-server': rate('b', '/1.0, 16 at a time'),
  'churn-key': rate('b', 'a config key, 16 at a time'),
  'storm-seconds': { part: 'c', title: 'until all have their answers', unit: 's' },
  'storm-rate': rate('c', 'all together'),
  'storm-p99': latency('c', 'one instance from first to last, p99'),
  'event-median': latency('d', 'one listener, median'),
  'event-p99': latency('d', 'one listener, p99'),
  'listeners-median': latency('d', 'so many listeners, median'),
  'listeners-p99': latency('d', 'so many listeners, p99'),
  'stopped-median': latency('d', '1,000 listeners, the others’ median'),
  'stopped-used': { part: 'd', title: 'memory used by the daemon', unit: 'MiB' },
  'stopped-resident': { part: 'd', title: 'memory resident', unit: 'MiB' },
  'stopped-cost': { part: 'd', title: 'used more than while all read', unit: 'KiB' },
  'stopped-bound': { part: 'd', title: 'the limit for that', unit: 'KiB' },
  'export-1': { part: 'e', title: '1 at a time', unit: 'GB/s' },
  'export-8': { part: 'e', title: '8 at once', unit: 'GB/s' },
  'export-latency-median': latency('e', 'a config key meanwhile, median'),
  'export-latency-p99': latency('e', 'a config key meanwhile, p99'),
  'memory-rest': { part: 'f', title: 'daemon at rest, with so many instances', unit: 'MiB' },
  'memory-instance': { part: 'f', title: 'an instance', unit: 'KiB' },
  'memory-connection': { part: 'f', title: 'an idle connection', unit: 'KiB' },
  'memory-listener': { part: 'f', title: 'a listener (WebSocket)', unit: 'KiB' },
  'files-listening': { part: 'f', title: 'open files, all instances listening', unit: '' },
  'answered-seconds': { part: 'f', title: 'all instances connect and are answered', unit: 's' },
  'growth-keepalive': rate('g', 'keep-alive, 16 connections'),
  'growth-churn': rate('g', 'one connection per request, 16 at a time'),
  'growth-event-median': latency('g', 'change to event, all listening, median'),
  'growth-event-p99': latency('g', 'change to event, all listening, p99'),
  launch: latency('h', 'launch of a small container'),
  delete: latency('h', 'delete of a running one'),
  'start-up': { part: 'h', title: 'start-up with so many running instances', unit: 's' },
  'start-all': { part: 'h', title: 'until all of them have an answer', unit: 's' },
  'neighbour-kept-median': latency('n', 'kept connection, median'),
  'neighbour-kept-p99': latency('n', 'kept connection, p99'),
  'neighbour-fresh-median': latency('n', 'new connection, median'),
  'neighbour-fresh-p99': latency('n', 'new connection, p99'),
  'neighbour-main-median': latency('n', 'main thread, median'),
  'neighbour-main-p99': latency('n', 'main thread, p99'),
  'neighbour-operator': latency('n', 'porthole config set, longest'),
  'neighbour-answers': { part: 'n', title: 'fewest answers of a probe', unit: '' },
  'neighbour-missed': { part: 'n', title: 'answers missed, all probes', unit: '' },
  'neighbour-full': { part: 'n', title: 'connects to a full queue (EAGAIN)', unit: '' },
  'neighbour-attack': { part: 'n', title: 'what the attack did', unit: '1/s' },
  'neighbour-files': { part: 'n', title: 'descriptors of the daemon', unit: '' },
  'neighbour-memory': { part: 'n', title: 'memory of the daemon', unit: 'MiB' },
  'floods-files': { part: 'n', title: 'open files', unit: '' },
  'floods-memory': { part: 'n', title: 'memory (Pss)', unit: 'MiB' },
  'floods-seconds': { part: 'n', title: 'until then', unit: 's' },
  'killed-start': { part: 'o', title: 'kill -9 and start, to the first answer in one', unit: 's' },
  'hang-up': { part: 'o', title: 'SIGHUP to the answer for an operator', unit: 's' },
  'list-first': { part: 'o', title: 'lxc list, the first one', unit: 's' },
  'list-next': { part: 'o', title: 'lxc list, the next', unit: 's' },
} as const satisfies Record<string, Figure>;

export type FigureKey = keyof typeof FIGURES;
