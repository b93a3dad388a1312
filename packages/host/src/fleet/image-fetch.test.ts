import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../base/log.ts';
import { hostError } from '../core/host-errors.ts';
import { Heart } from '../instances/testing/heart.ts';
import { ImageFetch } from './image-fetch.ts';
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
    link = await LinkWorld.start('m1', 'm2');
    heart = await Heart.begin();
    holders = new Set(['m1']);
    const http = createServer((_request, response) => response.end(BYTES));
    link.member('m1').serve = (socket) => void http.emit('connection', socket);
  });
  afterEach(async () => {
    heart.stop();
    await link.stop();
  });

  /** @param commit what becomes of the record that this member has the files */
  const fetchWith = (commit: () => Promise<void>) => {
    const members = () => ['m1', 'm2'].map((name) => ({ ...memberOf(name), online: true }));
    const fleet = { own: 'm2', members, holdersOf: () => holders, commit };
    const { agents } = link.member('m2');
    return new ImageFetch({ fleet, agents, images: heart.images, log: silentLog }).fetch(IMAGE);
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
