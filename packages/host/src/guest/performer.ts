import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { Quota } from '../base/quota.ts';
import { GUEST_KEYS_MAX } from '../core/guest-keys.ts';
import type { Turn } from '../http/fair-turns.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Reply, TextReply } from '../http/response.ts';
import type { GuestBackend, WriteResult } from './backend.ts';
import { listEvents } from './event-list.ts';
import { EventStreams } from './event-streams.ts';
import { type GuestErrorCode, textError } from './guest-errors.ts';
import type { Limits } from './guest-limits.ts';
import { HeldRequests } from './held-requests.ts';
import { type Sender, sendImage } from './image-export.ts';
import { PLAIN_ANSWERS, rawAnswer } from './plain-answer.ts';
import { RateLimit } from './rate-limit.ts';
import type { GuestReply } from './reply.ts';

/** The request that is answered, and its instance. */
export interface Occasion {
  readonly instanceId: number;
  readonly head: RequestHead;
  /** Decides on the request again, from the data of that time. */
  readonly decide: () => GuestReply;
  /** Does work when it is the turn of the instance. */
  readonly turn: Turn;
}

type Performers = {
  readonly [Kind in GuestReply['kind']]: (
    reply: Extract<GuestReply, { kind: Kind }>,
    occasion: Occasion,
  ) => Reply | Promise<Reply>;
};

/** Makes the function that carries out the decisions of handlers: one entry per kind of reply. */
export function createPerformer(
  backend: GuestBackend,
  { log, sender }: { readonly log: Log; readonly sender?: Sender | undefined },
  limits: Limits,
) {
  const events = new EventStreams(backend, limits);
  const held = new HeldRequests(backend, limits.heldRequests);
  const rate = new RateLimit(limits.writeBurst, limits.writeIntervalMs);
  const mayWrite = (instanceId: number, weight = 1) => rate.take(instanceId, performance.now(), weight);
  const running = new Quota(limits.imageStreams);
  const exports = { backend, log, mayWrite, running, sender, stallMs: limits.stallTimeoutMs };
  const write = async (
    instanceId: number,
    failure: GuestErrorCode,
    work: () => Promise<WriteResult>,
    weight = 1,
  ): Promise<TextReply> => {
    if (!mayWrite(instanceId, weight)) return textError('too-many-writes');
    try {
      const result = await work();
      return result === 'stored' ? rawAnswer('') : textError(result, String(GUEST_KEYS_MAX));
    } catch (error) {
      log.error({ instanceId, failure, error: messageOf(error) }, 'a write of an instance failed');
      return textError(failure);
    }
  };
  const performers: Performers = {
    ...PLAIN_ANSWERS,
    wait: (reply, occasion) =>
      held.hold(reply, { ...occasion, perform: (later) => perform(later, occasion) }),
    'set-ready': ({ ready }, { instanceId }) =>
      write(instanceId, 'state-not-stored', () => backend.setReady(instanceId, ready)),
    'write-key': ({ key, value }, { instanceId }) => {
      const weight = backend.writeWeight?.(instanceId) ?? 1;
      return write(instanceId, 'key-not-stored', () => backend.writeKey(instanceId, key, value), weight);
    },
    'export-image': ({ fingerprint }, { instanceId, head }) =>
      sendImage(instanceId, fingerprint, head, exports),
    'stream-events': ({ types, websocket, since }, { instanceId, head, turn }) =>
      events.answer({ instanceId, types, websocket, since, head, turn }),
    'list-events': ({ types, since, limit }, { instanceId, turn }) =>
      listEvents(backend, { instanceId, types, since, limit }, turn),
  };
  const perform = (reply: GuestReply, occasion: Occasion): Reply | Promise<Reply> =>
    (performers[reply.kind] as (reply: GuestReply, occasion: Occasion) => Reply | Promise<Reply>)(
      reply,
      occasion,
    );
  return perform;
}
