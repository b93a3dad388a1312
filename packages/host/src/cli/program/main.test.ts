import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { FakeHost } from '../../client/testing/fake-host.ts';
import { startFakeHost } from '../../client/testing/fake-host.ts';
import { fakeInstance } from '../testing/fake-instance.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

let host: FakeHost;
beforeEach(async () => {
  host = await startFakeHost();
});
afterEach(() => host.stop());

function start(...words: string[]) {
  return spawn(process.execPath, [MAIN, '--state-dir', host.dir, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

it('all output arrives before the process ends, even if it is read slowly', async () => {
  // Many times what a pipe holds.
  const many = Array.from({ length: 1000 }, (_, n) => fakeInstance({ name: `c${n}` }));
  host.routes['GET /1.0/instances'] = () => ({ metadata: many });
  const child = start('list', '-f', 'json');
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  expect(JSON.parse(text).length).toBe(1000);
});

it('the process ends without a message when its reader goes away', async () => {
  host.onSocket = (socket) => {
    const tell = () =>
      socket.send(
        '{"type":"lifecycle","timestamp":"","metadata":{}}',
        (error) => error ?? setImmediate(tell),
      );
    tell();
  };
  const child = start('monitor');
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const [code] = await once(child, 'close');
  expect([code, said]).toEqual([141, '']);
});

it('the exit code is that of the command line', async () => {
  const [code] = await once(start('nonsense'), 'close');
  expect(code).toBe(2);
});
