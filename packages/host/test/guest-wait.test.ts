import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, ask, hostApi, until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';

/** How long a request that is not answered would delay the daemon's stop; a busy machine needs part of it. */
const STOP_SECONDS = 120;

let daemon: TestDaemon;
let init: number;

beforeAll(async () => {
  daemon = await TestDaemon.start(['--stop-seconds', String(STOP_SECONDS)]);
  await daemon.must('image', 'build', 'busybox');
  await daemon.must('launch', 'busybox', 'c1', '-c', 'user.role=web', '-c', 'user.other=0');
  init = await daemon.initPid('c1');
});
afterAll(() => daemon?.destroy());

const get = (target: string, ...args: string[]) => ask(daemon, { init }, target, ...args);
const set = (name: string, ...pairs: string[]) => daemon.must('config', 'set', name, ...pairs);
const knowing = (tag: string | undefined) => ['-H', `If-None-Match: ${tag}`];

async function tagOf(target: string): Promise<string> {
  const tag = (await get(target)).headers.get('etag');
  if (tag === undefined) throw new Error(`${target} has no ETag`);
  return tag;
}

/**
 * Begins a request that waits. It has arrived when this resolves, because a later request has been answered.
 */
async function begin(target: string, ...args: string[]): Promise<{ answer: Promise<Answer> }> {
  const before = new Set(daemon.connections());
  const answer = get(target, ...args);
  answer.catch(() => {});
  await until('the request is there', () => daemon.connections().some((each) => !before.has(each)));
  await get('/1.0');
  return { answer };
}

/** Waits for the next answer while changes are made, the first of which do not concern the request. */
async function whileWaiting(target: string, change: () => Promise<unknown>): Promise<Answer> {
  const tag = await tagOf(target);
  let answered = false;
  // Longer than commands take on a busy machine.
  const { answer } = await begin(`${target}?wait=100`, '--max-time', '110', ...knowing(tag));
  const over = () => {
    answered = true;
  };
  answer.then(over, over);
  await set('c1', `user.other=${performance.now()}`);
  await set('c1', 'limits.processes=500');
  expect(answered).toBe(false);
  await change();
  return answer;
}

describe('an ETag', () => {
  it('is the same over restarts, and saves sending a value that the instance knows', async () => {
    const tag = await tagOf('/1.0/config/user.role');
    const answer = await get('/1.0/config/user.role', ...knowing(tag));
    expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([304, '', tag]);
    await daemon.restart();
    expect((await get('/1.0/config/user.role', ...knowing(tag))).status).toBe(304);
    await set('c1', 'user.role=db');
    expect((await get('/1.0/config/user.role', ...knowing(tag))).body).toBe('db');
  });
});

describe('a request that waits', () => {
  it('is answered with the next value', async () => {
    const { status, body } = await whileWaiting('/1.0/config/user.role', () => set('c1', 'user.role=proxy'));
    expect([status, body]).toEqual([200, 'proxy']);
  });

  it('sees changes of keys that cause no event, and of keys of profiles', async () => {
    await set('c1', 'cloud-init.user-data=#cloud-config');
    const data = await whileWaiting('/1.0/config/cloud-init.user-data', () =>
      set('c1', 'cloud-init.user-data=#cloud-config\nhostname: x'),
    );
    expect(data.body).toBe('#cloud-config\nhostname: x');
    await hostApi(daemon).change('PATCH', '/1.0/profiles/default', {
      json: { config: { 'user.site': 'a' } },
    });
    const site = await whileWaiting('/1.0/config/user.site', () =>
      hostApi(daemon).change('PATCH', '/1.0/profiles/default', { json: { config: { 'user.site': 'b' } } }),
    );
    expect(site.body).toBe('b');
  });

  it('is answered when the list gets a new key, and when its key is unset', async () => {
    const list = await whileWaiting('/1.0/config', () => set('c1', 'user.new=1'));
    expect(JSON.parse(list.body)).toContain('/1.0/config/user.new');
    const gone = await whileWaiting('/1.0/config/user.new', () =>
      daemon.must('config', 'unset', 'c1', 'user.new'),
    );
    expect(gone.status).toBe(404);
  });

  it('gets 304 when its time is over and nothing has changed', async () => {
    const tag = await tagOf('/1.0/config/user.role');
    const { status } = await get('/1.0/config/user.role?wait=1', ...knowing(tag));
    expect(status).toBe(304);
  });

  it('is answered at once when the daemon stops, and does not delay the stop', async () => {
    const tag = await tagOf('/1.0/config/user.role');
    const { answer } = await begin('/1.0/config/user.role?wait=300', ...knowing(tag));
    await set('c1', 'user.other=again');
    const started = performance.now();
    await daemon.stop();
    expect(performance.now() - started).toBeLessThan((STOP_SECONDS * 1000) / 2);
    expect((await answer).status).toBe(304);
    await daemon.start();
  });

  it.each([
    ['the guest API of its instance', ['config', 'set', 'c1', 'security.devlxd=false']],
    ['the run of its instance', ['stop', '-f', 'c1']],
  ])('ends with %s', async (_what, command) => {
    const tag = await tagOf('/1.0/config/user.role');
    const { answer } = await begin('/1.0/config/user.role?wait=300', ...knowing(tag));
    await set('c1', `user.other=${performance.now()}`);
    await daemon.must(...command);
    expect(['cut', 403]).toContain(await answer.then(({ status }) => status).catch(() => 'cut'));
    await daemon.must('stop', '-f', 'c1').catch(() => {});
    await set('c1', 'security.devlxd=true');
    await daemon.must('start', 'c1');
    init = await daemon.initPid('c1');
  });
});
