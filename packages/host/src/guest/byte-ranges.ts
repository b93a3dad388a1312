import { RANGES_MAX } from './guest-limits.ts';

/** A stretch of a file: first byte and how many. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** The meaning of a `Range` header: some stretches, the whole file, or a range that cannot be served. */
export type RangeRequest = readonly ByteRange[] | 'whole' | 'malformed' | 'beyond-end';

/**
 * Reads a `Range` header for a file of `size` bytes, as Go's file server does: stretches beyond the end are
 * dropped if others remain, and stretches that together are larger than the file mean the whole file.
 */
export function parseRange(header: string | undefined, size: number): RangeRequest {
  if (header === undefined || header === '') return 'whole';
  if (!header.startsWith('bytes=')) return 'malformed';
  const ranges: ByteRange[] = [];
  let beyondEnd = false;
  const parts = header.slice('bytes='.length).split(',', RANGES_MAX + 1);
  if (parts.length > RANGES_MAX) return 'whole';
  for (const part of parts) {
    const text = part.trim();
    if (text === '') continue;
    const range = parseOne(text, size);
    if (range === 'malformed') return 'malformed';
    if (range === 'beyond-end') beyondEnd = true;
    else ranges.push(range);
  }
  if (ranges.length === 0) return beyondEnd && size > 0 ? 'beyond-end' : 'whole';
  const total = ranges.reduce((sum, { length }) => sum + length, 0);
  return total > size ? 'whole' : ranges;
}

function parseOne(text: string, size: number): ByteRange | 'malformed' | 'beyond-end' {
  const match = /^(\d{0,15})\s*-\s*(\d{0,15})$/.exec(text);
  if (match === null) return 'malformed';
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return 'malformed';
    const length = Math.min(Number(last), size);
    return { start: size - length, length };
  }
  const start = Number(first);
  if (start >= size) return 'beyond-end';
  if (last === '') return { start, length: size - start };
  if (Number(last) < start) return 'malformed';
  return { start, length: Math.min(Number(last), size - 1) - start + 1 };
}
