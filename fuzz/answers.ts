import { mustHold } from './target.ts';

/** A parsed answer of an HTTP server. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** No other answer may follow on the connection. */
  readonly closes: boolean;
}

const HEAD =
  /^HTTP\/1\.[01] (\d{3}) ([\x20-\x7e\x80-\xff]*)\r\n((?:[!#$%&'*+.^_`|~\w-]+: ?[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n/;
const NO_BODY = new Set([204, 304]);

/**
 * Parses all answers of a connection strictly; leaves out `100 Continue`.
 * @param methods methods of the answered requests, as far as they are known
 * @param known reads only the answers to `methods`, because a later one may be for a HEAD and have no body
 * @returns the answers up to one that closes, and the text after them
 * @throws Finding when the text is not valid HTTP
 */
export function readAnswers(received: string, methods: readonly string[], known = false) {
  const answers: Answer[] = [];
  let rest = received;
  while (rest !== '' && !(known && answers.length === methods.length) && answers.at(-1)?.closes !== true) {
    const { answer, length } = readAnswer(rest, methods[answers.length] ?? '');
    rest = rest.slice(length);
    if (answer.status !== 100) answers.push(answer);
  }
  return { answers, behind: rest };
}

function readAnswer(text: string, method: string): { answer: Answer; length: number } {
  const match = HEAD.exec(text);
  mustHold(match !== null, 'an answer has no valid head', text);
  const [head, digits, , lines = ''] = match;
  const status = Number(digits);
  const headers = new Map<string, string>();
  for (const line of lines.split('\r\n').slice(0, -1)) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    mustHold(!headers.has(name), `an answer has two ${name}`, head);
    headers.set(name, line.slice(line.indexOf(':') + 1).trim());
  }
  const connection = headers.get('connection')?.toLowerCase();
  const isOld = head.startsWith('HTTP/1.0') && connection !== 'keep-alive';
  // The answer that refuses a malformed head has a body even if the method was HEAD, as with LXD.
  const refused = connection === 'close' && text.length > head.length;
  const bodiless = (method === 'HEAD' && !refused) || status < 200 || NO_BODY.has(status);
  const { body, length, untilEnd } = bodiless
    ? { body: '', length: 0, untilEnd: false }
    : readBody(text.slice(head.length), headers);
  const closes = untilEnd || status === 101 || isOld || connection === 'close';
  return {
    answer: { status, headers, body, closes },
    length: status === 101 ? text.length : head.length + length,
  };
}

function readBody(text: string, headers: ReadonlyMap<string, string>) {
  const announced = headers.get('content-length');
  if (headers.get('transfer-encoding') === 'chunked') {
    mustHold(announced === undefined, 'an answer has a length and chunks', text);
    return { ...readChunks(text), untilEnd: false };
  }
  if (announced === undefined) return { body: text, length: text.length, untilEnd: true };
  mustHold(/^\d+$/.test(announced), 'an answer has a length that is none', announced);
  const length = Number(announced);
  mustHold(text.length >= length, 'an answer ends early', text);
  return { body: text.slice(0, length), length, untilEnd: false };
}

function readChunks(text: string): { body: string; length: number } {
  let body = '';
  for (let at = 0; ; ) {
    const match = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 20));
    mustHold(match !== null, 'an answer has a malformed chunk', text.slice(at));
    const size = Number.parseInt(match[1]!, 16);
    at += match[0].length;
    body += text.slice(at, at + size);
    mustHold(text.slice(at + size, at + size + 2) === '\r\n', 'a chunk does not end', text.slice(at));
    at += size + 2;
    if (size === 0) return { body, length: at };
  }
}

/** The outcome of a case: the statuses, and the texts of refusals without quoted input of the client. */
export function signatureOf(answers: readonly Answer[]): string {
  return answers
    .slice(0, 6)
    .map(({ status, headers, body }) => {
      const says = status >= 400 ? body.replaceAll(/"[^"]*"|[^A-Za-z ]/g, '').slice(0, 32) : '';
      return [status, headers.get('content-type')?.split(';')[0] ?? '', says].filter(Boolean).join(' ');
    })
    .join(', ');
}
