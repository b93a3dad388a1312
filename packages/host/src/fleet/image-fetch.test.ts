import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../base/log.ts';
import { hostError } from '../core/host-errors.ts';
import type { FilesOfImage } from '../images/image-directory.ts';
import { Heart } from '../instances/testing/heart.ts';
import { ImageFetch, PIECE_BYTES_MIN, PIECE_MS } from './image-fetch.ts';
import { LinkWorld } from './testing/link-world.ts';
import { MemberHost, memberOf } from './testing/member-host.ts';
import { MemoryHistory } from './testing/memory-store.ts';

const BYTES = 'an image';
const FINGERPRINT = createHash('sha256').update(BYTES).digest('hex');
const IMAGE = { fingerprint: FINGERPRINT, files: { kind: 'unified', extension: '.tar.gz' } } as const;

describe('A member that fetches the files of an image', () => {
  let link: LinkWorld;
  let heart: Heart;
  let holders: Set<string>;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    link = await LinkWorld.start('m1', 'm2', 'm3');
    heart = await Heart.begin();
    holders = new Set(['m1']);
    answer('m1', (response) => response.end(BYTES));
  });
  afterEach(async () => {
    heart.stop();
    await link.stop();
    vi.useRealTimers();
  });

  /** How a member answers the request for the files. */
  const answer = (member: string, how: (response: ServerResponse) => void) => {
    const http = createServer((_request, response) => how(response));
    link.member(member).serve = (socket) => void http.emit('connection', socket);
  };

  /** @param commit what becomes of the record that this member has the files */
  const fetchWith = (commit: () => Promise<void>, image: FilesOfImage = IMAGE) => {
    const members = () => ['m1', 'm2', 'm3'].map((name) => ({ ...memberOf(name), online: true }));
    const fleet = { own: 'm2', members, holdersOf: () => holders, commit };
    const { agents } = link.member('m2');
    return new ImageFetch({ fleet, agents, images: heart.images, log: silentLog }).fetch(image);
  };

  it('has them also if it cannot say so, because it is cut off', async () => {
    await fetchWith(() => Promise.reject(hostError('fleet-cut-off')));
    expect([...heart.images.stored]).toEqual([FINGERPRINT]);
  });

  it('keeps none if the image is deleted meanwhile', async () => {
    const deleted = async () => {
      holders.clear();
      throw hostError('changed-meanwhile', 'The image');
    };
    await expect(fetchWith(deleted)).rejects.toMatchObject({ code: 'image-elsewhere' });
    expect([...heart.images.stored]).toEqual([]);
  });

  it('gets them from another member if one goes on to send byte after byte', async () => {
    const began = Promise.withResolvers<void>();
    answer('m1', (response) => {
      response.writeHead(200, { 'content-length': BYTES.length }).write(BYTES.slice(0, 1));
      began.resolve();
    });
    answer('m3', (response) => response.end(BYTES));
    holders.add('m3');
    const fetched = fetchWith(async () => {});
    await began.promise;
    vi.advanceTimersByTime(PIECE_MS);
    await fetched;
    expect([...heart.images.stored]).toEqual([FINGERPRINT]);
  });

  it('waits for a member that sends enough in each time', async () => {
    const piece = Buffer.alloc(3 * PIECE_BYTES_MIN);
    const all = Buffer.concat([piece, piece, piece]);
    let sent = 0;
    let more = () => {};
    answer('m1', (response) => {
      response.writeHead(200, { 'content-length': all.length });
      more = () => {
        response.write(piece);
        sent += piece.length;
      };
      more();
    });
    heart.images.appetite = async () => {
      // Nearly all that was sent has come.
      if (heart.images.uploadedBytes < sent - PIECE_BYTES_MIN || sent === all.length) return;
      vi.advanceTimersByTime(PIECE_MS);
      more();
    };
    const fingerprint = createHash('sha256').update(all).digest('hex');
    await fetchWith(async () => {}, { ...IMAGE, fingerprint });
    expect([...heart.images.stored]).toEqual([fingerprint]);
  });
});

it('No member can say that it has the files of an image that is deleted meanwhile', async () => {
  const history = new MemoryHistory();
  const a = await MemberHost.join(history, 'a', (heart) => heart.addImage());
  const b = await MemberHost.join(history, 'b');
  const fingerprint = 'f'.repeat(64);
  const [deleted, had] = await Promise.allSettled([
    a.heart.model.change(() => ({ changes: [{ kind: 'delete-image', fingerprint }] })),
    b.fleet.commit([{ kind: 'put-holder', fingerprint, member: 'b' }]),
  ]);
  expect([deleted?.status, had?.status]).toEqual(['fulfilled', 'rejected']);
  expect([...history.objects.keys()].filter((key) => key.includes(fingerprint))).toEqual([]);
  for (const member of [a, b]) member.stop();
});
