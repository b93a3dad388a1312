import type { Report } from './report.ts';
import type { Sample, Series } from './samples.ts';

/** A line of a panel. */
interface Line {
  readonly series: Series;
  readonly title: string;
}

interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

const PANELS: readonly Panel[] = [
  {
    title: 'Memory, MiB',
    lines: [
      { series: 'pss', title: 'daemon and children (Pss)' },
      { series: 'rss', title: 'resident' },
      { series: 'heap', title: 'heap, main thread' },
    ],
  },
  {
    title: 'Descriptors and threads',
    lines: [
      { series: 'files', title: 'descriptors' },
      { series: 'threads', title: 'threads' },
    ],
  },
  {
    title: 'Database, MiB',
    lines: [
      { series: 'database', title: 'database' },
      { series: 'wal', title: 'its log (WAL)' },
    ],
  },
  {
    title: 'Guest on a kept connection, ms',
    lines: [
      { series: 'keptP99', title: 'p99' },
      { series: 'keptP50', title: 'median' },
    ],
  },
  {
    title: 'Operator changes a key, ms',
    lines: [
      { series: 'changeP99', title: 'p99' },
      { series: 'changeP50', title: 'median' },
    ],
  },
  {
    title: 'Delay of the main thread, ms',
    lines: [
      { series: 'delayMax', title: 'longest' },
      { series: 'delayP99', title: 'p99' },
    ],
  },
];

const COLUMNS = 2;
const WIDTH = 1020;
const PANEL = { width: 500, height: 210 };
const PLOT = { left: 56, top: 44, width: 428, height: 130 };
const TOP = 44;
const S_PER_MIN = 60;
const TICKS = 4;
const COLOURS = ['a', 'b', 'c'] as const;

/** One set of colours for light pages, one for dark ones. */
const STYLE = `text { font-family: "DejaVu Sans", Verdana, Arial, sans-serif; font-size: 12px; fill: #1c2126 }
.title { font-size: 13.5px; font-weight: bold } .small { font-size: 11px }
.paper { fill: #ffffff; stroke: #6b7780 } .grid { stroke: #d9dee3 } .restart { stroke: #8a949d; stroke-dasharray: 3 3 }
.line { fill: none; stroke-width: 1.6 } .a { stroke: #1f4e87 } .b { stroke: #b3541e } .c { stroke: #3b7d3b }
@media (prefers-color-scheme: dark) {
text { fill: #d5dbe1 } .paper { fill: #1d242b; stroke: #4a545d } .grid { stroke: #37414a }
.a { stroke: #8ec7ff } .b { stroke: #f0a36b } .c { stroke: #a8e28f } }`;

/** The figures of a soak over time, as SVG: a panel for each group, a dashed line for each restart. */
export function drawSoak(report: Pick<Report, 'plan' | 'samples' | 'restarts' | 'seconds'>): string {
  const { plan, restarts } = report;
  const height = TOP + Math.ceil(PANELS.length / COLUMNS) * PANEL.height + 4;
  const title = `${plan.minutes} minutes, ${plan.containers} containers, ${plan.adopted} adopted instances`;
  return `${[
    '<!-- Made by `npm run soak -- --record` from soak/results/latest.json: draw it again with --redraw. -->',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>The daemon over ${title}</title>`,
    `<style>${STYLE}</style>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" class="paper"/>`,
    `<text x="16" y="28" class="title">${title}; dashed: ${restarts.length} restarts</text>`,
    ...PANELS.map((panel, index) => panelSvg(panel, index, report)),
    '</svg>',
  ].join('\n')}\n`;
}

function panelSvg(
  { title, lines }: Panel,
  index: number,
  { samples, restarts, seconds }: Pick<Report, 'samples' | 'restarts' | 'seconds'>,
): string {
  const [x, y] = [10 + (index % COLUMNS) * PANEL.width, TOP + Math.floor(index / COLUMNS) * PANEL.height];
  const top = scaleTop(
    Math.max(0, ...lines.flatMap(({ series }) => samples.map((sample) => sample[series] ?? 0))),
  );
  const across = (at: number) => PLOT.left + (at / seconds) * PLOT.width;
  const up = (value: number) => PLOT.top + PLOT.height * (1 - value / top);
  return [
    `<g transform="translate(${x} ${y})">`,
    `<text x="${PLOT.left}" y="14" class="title">${title}</text>`,
    ...lines.map((line, at) => legendSvg(line, at, lines)),
    ...gridSvg(top, up),
    ...minutesSvg(seconds, across),
    ...restarts.map((at) => {
      const place = across(at).toFixed(1);
      return `<line x1="${place}" x2="${place}" y1="${PLOT.top}" y2="${PLOT.top + PLOT.height}" class="restart"/>`;
    }),
    ...lines.map(
      ({ series }, at) => `<path class="line ${COLOURS[at]}" d="${pathOf(samples, series, across, up)}"/>`,
    ),
    '</g>',
  ].join('\n');
}

/** A short stroke and the title of a line, in the order of the lines from the left. */
function legendSvg({ title }: Line, at: number, lines: readonly Line[]): string {
  const letters = lines.slice(0, at).reduce((sum, each) => sum + each.title.length, 0);
  const x = PLOT.left + letters * LETTER + at * LEGEND_GAP;
  return `<path class="line ${COLOURS[at]}" d="M ${x} 28 h 14"/><text x="${x + 18}" y="32" class="small">${title}</text>`;
}
const LETTER = 5.9;
const LEGEND_GAP = 34;

function gridSvg(top: number, up: (value: number) => number): string[] {
  return Array.from({ length: TICKS + 1 }, (_, tick) => {
    const value = (top * tick) / TICKS;
    const y = up(value).toFixed(1);
    return (
      `<line x1="${PLOT.left}" x2="${PLOT.left + PLOT.width}" y1="${y}" y2="${y}" class="grid"/>` +
      `<text x="${PLOT.left - 6}" y="${(up(value) + 4).toFixed(1)}" text-anchor="end" class="small">${short(value)}</text>`
    );
  });
}

function minutesSvg(seconds: number, across: (at: number) => number): string[] {
  const y = PLOT.top + PLOT.height + 15;
  return Array.from({ length: TICKS + 1 }, (_, tick) => {
    const at = (seconds * tick) / TICKS;
    const unit = tick === TICKS ? ' min' : '';
    return `<text x="${across(at).toFixed(1)}" y="${y}" text-anchor="middle" class="small">${short(at / S_PER_MIN)}${unit}</text>`;
  });
}

/** The points of a line; a sample without this figure interrupts it. */
function pathOf(
  samples: readonly Sample[],
  series: Series,
  across: (at: number) => number,
  up: (value: number) => number,
): string {
  let isDown = false;
  return samples
    .flatMap((sample) => {
      const value = sample[series];
      const move = isDown ? 'L' : 'M';
      isDown = value !== null;
      return value === null ? [] : [`${move}${across(sample.at).toFixed(1)} ${up(value).toFixed(1)}`];
    })
    .join(' ');
}

/** The smallest of 1, 2, 4 and 8 times a power of ten that is not below a value; at least 0.01. */
export function scaleTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, SCALE_MIN)));
  return ([1, 2, 4, 8, 10].find((factor) => factor * power >= value) as number) * power;
}
const SCALE_MIN = 0.01;

function short(value: number): string {
  return `${Math.round(value * 1000) / 1000}`;
}
