/** A line of a recorded terminal. */
export interface Line {
  /** What was typed, after the prompt; else a line of output. */
  readonly kind: 'host' | 'instance' | 'output';
  readonly text: string;
  /** Milliseconds from the beginning. */
  readonly atMs: number;
}

const PROMPTS = { host: 'host# ', instance: 'c1# ', output: '' } as const;

const COLUMNS = 112;
const LETTER = 7.9;
const LINE = 19;
const MARGIN = 16;

const STYLE = `text { font: 13px "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d5dbe1; white-space: pre }
.host { fill: #8ec7ff } .instance { fill: #a8e28f }
g { animation: appear 0.01s both }
@keyframes appear { from { opacity: 0 } }
@media (prefers-reduced-motion: reduce) { g { animation: none } }`;

/** The terminal as SVG: each line appears at its time, and stays. */
export function drawSession(lines: readonly Line[]): string {
  const rows = lines.flatMap((line) => wrapped(line).map((text) => ({ ...line, text })));
  const width = Math.ceil(2 * MARGIN + COLUMNS * LETTER);
  const height = 2 * MARGIN + rows.length * LINE;
  return `${[
    '<!-- Made by `npm run session`, which runs these commands: change tools/session. -->',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    '<title>An instance sees a change that its host makes</title>',
    `<style>${STYLE}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#1d242b"/>`,
    ...rows.map((row, index) => drawn(row, MARGIN + (index + 0.75) * LINE)),
    '</svg>',
  ].join('\n')}\n`;
}

function drawn({ kind, text, atMs }: Line, y: number): string {
  const delay = `style="animation-delay:${(atMs / 1000).toFixed(2)}s"`;
  return `<g ${delay}><text x="${MARGIN}" y="${y.toFixed(1)}" class="${kind}">${escaped(text)}</text></g>`;
}

function wrapped({ kind, text }: Line): string[] {
  const whole = PROMPTS[kind] + text;
  return whole.match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? [''];
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
