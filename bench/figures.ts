/** The parts of the benchmark, by their letters. */
export const PARTS = {
  a: 'Keep-alive GETs',
  b: 'One connection per request',
  d: 'From a config change to its event',
  e: 'Image export',
  h: 'Launch and delete',
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
  'event-median': latency('d', 'one listener, median'),
  'event-p99': latency('d', 'one listener, p99'),
  'export-1': { part: 'e', title: '1 at a time', unit: 'GB/s' },
  'export-8': { part: 'e', title: '8 at once', unit: 'GB/s' },
  'export-latency-median': latency('e', 'a config key meanwhile, median'),
  'export-latency-p99': latency('e', 'a config key meanwhile, p99'),
  launch: latency('h', 'launch of a small container'),
  delete: latency('h', 'delete of a running one'),
} as const satisfies Record<string, Figure>;

export type FigureKey = keyof typeof FIGURES;
