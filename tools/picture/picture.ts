import { ROOMS } from '../tidy/rooms.ts';
import { floorOf, importLines } from './floors.ts';
import { AREAS, type Area, BARS, LEGEND } from './places.ts';
import { type Box, boxSvg, heightOf, linesIn, textSvg, type Words } from './svg.ts';

/** Where the picture is kept. */
export const PICTURE = 'docs/rooms.svg';

const WIDTH = 1020;
const TOP = 34;
const GAP = 8;
const LEFT = 40;
const LEGEND_LINE = 18;
const BAR_FILL = '#e9edf0';

const STYLE = `text { font-family: "DejaVu Sans", Verdana, Arial, sans-serif; fill: #1c2126 }
.name { font-size: 13.5px; font-weight: bold }
.note { font-size: 12px }
.imports { font-size: 12px; fill: #1f4e87 }
.title { font-size: 13px; fill: #414b54 }
.room { stroke: #6b7780 }
.way { stroke: #6b7780; stroke-width: 2; fill: none }`;

interface Column {
  readonly area: Area;
  readonly x: number;
  readonly width: number;
}

interface Row {
  readonly floor: number;
  readonly y: number;
  readonly height: number;
}

/** A box before its row gives it a place and a height. */
type Placed = Omit<Box, 'y' | 'height'> & { readonly floor: number };

/** The rooms as SVG: a box for each room, above all rooms that it imports. */
export function drawRooms(): string {
  const columns = columnsOf();
  const placed = [...columns.flatMap(columnBoxes), ...barBoxes(columns)];
  const rows = rowsFromTop(placed);
  const last = rows.at(-1) as Row;
  const height = last.y + last.height + 2 * GAP;
  return `${[
    '<!-- Made by `npm run picture` from tools/tidy/rooms.ts and tools/picture/places.ts: change those. -->',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    '<title>The rooms of the daemon, each above all that it imports</title>',
    `<style>${STYLE}</style>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" fill="#ffffff" class="room"/>`,
    ...columns.map(({ area, x }) => textSvg(x, TOP - 11, area.title, 'title')),
    arrowSvg(height),
    ...legendLines(columns, rows),
    ...placed.map((box) => boxSvg({ ...box, ...rowOf(rows, box.floor) })),
    '</svg>',
  ].join('\n')}\n`;
}

/** Rooms of the table without one place in the picture, and places without a room. */
export function misplacedRooms(): string[] {
  const placed = [...AREAS.flatMap(({ rooms }) => Object.keys(rooms)), ...Object.keys(BARS)];
  return [
    ...Object.keys(ROOMS).filter((room) => placed.filter((each) => each === room).length !== 1),
    ...placed.filter((room) => !(room in ROOMS)),
  ];
}

function columnsOf(): Column[] {
  const all = AREAS.reduce((sum, { boxes }) => sum + boxes, 0);
  const free = WIDTH - LEFT - GAP - (AREAS.length - 1) * 2 * GAP;
  let x = LEFT;
  return AREAS.map((area) => {
    const width = Math.floor((free * area.boxes) / all);
    const column = { area, x, width };
    x += width + 2 * GAP;
    return column;
  });
}

/** The rooms of an area, side by side on their floors. */
function columnBoxes({ area, x, width }: Column): Placed[] {
  const floors = new Set(Object.keys(area.rooms).map(floorOf));
  return [...floors].flatMap((floor) => {
    const rooms = Object.entries(area.rooms).filter(([room]) => floorOf(room) === floor);
    const each = Math.floor((width - (rooms.length - 1) * GAP) / rooms.length);
    return rooms.map(([name, note], index) => {
      const words: Words = { name, note, imports: importLines(name) };
      return { ...words, floor, x: x + index * (each + GAP), width: each, fill: area.fill };
    });
  });
}

function barBoxes(columns: readonly Column[]): Placed[] {
  const last = columns.at(-1) as Column;
  const size = { x: LEFT, width: last.x + last.width - LEFT, fill: BAR_FILL };
  return Object.entries(BARS).map(([name, note]) => {
    return { ...size, name, note, imports: importLines(name), floor: floorOf(name) };
  });
}

function rowsFromTop(placed: readonly Placed[]): Row[] {
  const floors = [...new Set(placed.map(({ floor }) => floor))].sort((one, other) => other - one);
  let y = TOP;
  return floors.map((floor) => {
    const boxes = placed.filter((box) => box.floor === floor);
    const height = Math.max(...boxes.map((box) => heightOf(box, box.width)));
    const row = { floor, y, height };
    y += height + GAP;
    return row;
  });
}

function rowOf(rows: readonly Row[], floor: number): Row {
  return rows.find((row) => row.floor === floor) as Row;
}

/** An arrow beside the boxes: the direction of all imports. */
function arrowSvg(height: number): string {
  return `<path class="way" d="M ${LEFT / 2} ${TOP} V ${height - 2 * GAP} m -6 -9 l 6 9 l 6 -9"/>`;
}

/** The legend, above the highest room of the first area. */
function legendLines(columns: readonly Column[], rows: readonly Row[]): string[] {
  const { area, x, width } = columns[0] as Column;
  const highest = rowOf(rows, Math.max(...Object.keys(area.rooms).map(floorOf)));
  const lines = LEGEND.flatMap((text) => linesIn(text, width));
  const top = highest.y - 2 * GAP - (lines.length - 1) * LEGEND_LINE;
  return lines.map((line, index) => textSvg(x, top + index * LEGEND_LINE, line, 'note'));
}
