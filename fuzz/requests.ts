/** A request by the rules of RFC 9112; this reader shares no code with the daemon's. */
export interface Framed {
  readonly method: string;
}

/** Requests up to the first whose end is in doubt. */
export interface Framing {
  readonly requests: readonly Framed[];
  /**
   * The text after them: nothing; a request that does not end; a request whose end two readers could see in
   * two places, which must be refused; anything else.
   */
  readonly rest: 'nothing' | 'incomplete' | 'ambiguous' | 'unclear';
}

interface Head {
  readonly method: string;
  readonly minor: string;
  readonly lengths: readonly string[];
  readonly encodings: readonly string[];
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~\w-]+) [!-~]+ HTTP\/1\.([01])$/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
/** A line feed alone ends a line too, as for LXD. */
const HEAD_END = /\r?\n\r?\n/;
const CHUNK_LINE = /^([0-9a-f]{1,6})\r\n/i;

/** Finds the requests in a text that has one character for each byte. */
export function readRequests(text: string): Framing {
  const requests: Framed[] = [];
  for (let at = 0; ; ) {
    if (at === text.length) return { requests, rest: 'nothing' };
    const end = HEAD_END.exec(text.slice(at));
    if (end === null) return { requests, rest: 'incomplete' };
    const head = readHead(text.slice(at, at + end.index));
    if (head === undefined) return { requests, rest: 'unclear' };
    if (isAmbiguous(head)) return { requests, rest: 'ambiguous' };
    const next = endOfBody(text, at + end.index + end[0].length, head);
    if (typeof next !== 'number') return { requests, rest: next };
    requests.push({ method: head.method });
    at = next;
  }
}

function readHead(text: string): Head | undefined {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const request = REQUEST_LINE.exec(first);
  const fields = lines.map((line) => HEADER_LINE.exec(line));
  if (request === null || fields.some((field) => field === null)) return undefined;
  const valuesOf = (name: string) =>
    fields.flatMap((field) => (field![1]!.toLowerCase() === name ? [field![2]!] : []));
  return {
    method: request[1]!,
    minor: request[2]!,
    lengths: valuesOf('content-length'),
    encodings: valuesOf('transfer-encoding'),
  };
}

function isAmbiguous({ minor, lengths, encodings }: Head): boolean {
  if (lengths.length > 1 || lengths.some((length) => !/^\d+$/.test(length))) return true;
  if (minor === '0') return false;
  if (encodings.length > 0 && lengths.length > 0) return true;
  return encodings.length > 1 || encodings.some((encoding) => encoding.toLowerCase() !== 'chunked');
}

function endOfBody(text: string, start: number, { minor, lengths, encodings }: Head) {
  if (encodings.length > 0) return minor === '1' ? endOfChunks(text, start) : 'unclear';
  const end = start + Number(lengths[0] ?? 0);
  return end <= text.length ? end : 'incomplete';
}

/** Reads chunks without extensions and trailers; the daemon may serve or refuse others. */
function endOfChunks(text: string, start: number): number | 'incomplete' | 'unclear' {
  for (let at = start; ; ) {
    const line = CHUNK_LINE.exec(text.slice(at, at + 8));
    if (line === null) return 'unclear';
    const size = Number.parseInt(line[1]!, 16);
    at += line[0].length + size;
    if (at + 2 > text.length) return 'incomplete';
    if (text.slice(at, at + 2) !== '\r\n') return 'unclear';
    at += 2;
    if (size === 0) return at;
  }
}
