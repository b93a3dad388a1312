/** The parts of the benchmark, by their letters. */
export const PARTS = {
  a: 'Keep-alive GETs',
  b: 'One connection per request',
} as const;

export type Part = keyof typeof PARTS;

interface Figure {
  readonly part: Part;
  readonly title: string;
  readonly unit: string;
}

const rate = (part: Part, title: string): Figure => ({ part, title, unit: 'requests/s' });

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
} as const satisfies Record<string, Figure>;

export type FigureKey = keyof typeof FIGURES;
