import { createServer, type RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asksApplied } from './ask.ts';
import { LinkWorld } from './testing/link-world.ts';

let link: LinkWorld;
beforeEach(async () => {
  link = await LinkWorld.start('m1', 'm2');
});
afterEach(() => link.stop());

const ask = (member: string, timeoutMs: number) =>
  asksApplied(link.member('m1').agents)(member, 7, timeoutMs);

function answersWith(listener: RequestListener): void {
  const http = createServer(listener);
  link.member('m2').serve = (socket) => void http.emit('connection', socket);
}

describe('A member that is asked whether it has applied a revision', () => {
  it('is asked again when its connection ends, as when its daemon restarts in place', async () => {
    const asked: (string | undefined)[] = [];
    answersWith(({ url }, response) => {
      asked.push(url);
      if (asked.length < 3) response.destroy();
      else response.end('{"metadata":{"applied":true}}');
    });
    expect(await ask('m2', 5_000)).toBe(true);
    expect(asked).toEqual(Array(3).fill('/fleet/1.0/applied?revision=7'));
  });

  it('is asked no longer than the time that it has', async () => {
    answersWith((_request, response) => response.destroy());
    await expect(ask('m2', 300)).rejects.toThrow();
  });

  it('is not asked at all if there is no such member', async () => {
    await expect(ask('m3', 5_000)).rejects.toMatchObject({ code: 'member-unknown' });
  });
});
