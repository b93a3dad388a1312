import { headerBlock, type TextReply } from '../http/response.ts';
import { jsonError, textError } from './guest-errors.ts';
import type { GuestReply } from './reply.ts';

const JSON_HEADERS = headerBlock({ 'Content-Type': 'application/json' });
const RAW_HEADERS = headerBlock({ 'Content-Type': 'application/octet-stream' });

type PlainKind = 'json' | 'raw' | 'not-modified' | 'refuse' | 'refuse-image';
type PlainAnswers = {
  readonly [Kind in PlainKind]: (reply: Extract<GuestReply, { kind: Kind }>) => TextReply;
};

/** The answers to decisions that need no further action. */
export const PLAIN_ANSWERS: PlainAnswers = {
  json: ({ value, etag }) => ok(JSON_HEADERS, `${JSON.stringify(value)}\n`, etag),
  raw: ({ value, etag }) => ok(RAW_HEADERS, value, etag),
  'not-modified': ({ etag }) => ({
    kind: 'text',
    status: 304,
    headers: headerBlock({ ETag: etag }),
    body: '',
    unmeasured: true,
  }),
  refuse: ({ code, value, close }) => {
    const reply = textError(code, value);
    return close === true ? { ...reply, close } : reply;
  },
  'refuse-image': ({ code }) => jsonError(code),
};

/** The answer to a decision of a plain kind; undefined for one that has to be carried out. */
export function plainAnswer(reply: GuestReply): TextReply | undefined {
  const answer = (PLAIN_ANSWERS as Partial<Record<GuestReply['kind'], (reply: GuestReply) => TextReply>>)[
    reply.kind
  ];
  return answer?.(reply);
}

export function rawAnswer(body: string): TextReply {
  return ok(RAW_HEADERS, body);
}

function ok(headers: string, body: string, etag?: string): TextReply {
  const tagged = etag === undefined ? headers : `${headers}${headerBlock({ ETag: etag })}`;
  return { kind: 'text', status: 200, headers: tagged, body };
}
