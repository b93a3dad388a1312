// `npm run session`: records docs/session.svg. Runs real commands on a daemon with temporary state; needs root.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ROOT } from '../tidy/source.ts';
import { drawSession, type Line } from './draw.ts';

const BIN = join(ROOT, 'bin');
/** Between a command that has ended and the next one, so that a reader can follow. */
const PAUSE_MS = 900;

const lines: Line[] = [];
const beginMs = performance.now();
const note = (kind: Line['kind'], text: string) =>
  lines.push({ kind, text, atMs: performance.now() - beginMs });

const state = mkdtempSync('/var/tmp/porthole-session-');
const daemon = spawn(join(BIN, 'portholed'), ['--state-dir', state], {
  stdio: ['ignore', 'inherit', 'pipe'],
});
const ended = once(daemon, 'exit');
for await (const line of createInterface({ input: daemon.stderr }))
  if (line.includes('"daemon started"')) break;
daemon.stderr.resume();

const porthole = (...words: string[]) =>
  promisify(execFile)(join(BIN, 'porthole'), ['--state-dir', state, ...words]);

async function host(command: string): Promise<void> {
  note('host', `porthole ${command}`);
  const { stdout } = await porthole(...command.split(' '));
  for (const line of stdout.trimEnd().split('\n')) if (line !== '') note('output', line);
  await pause(PAUSE_MS);
}

/** Follows events inside, until one has come after `change`. */
async function follow(change: () => Promise<void>): Promise<void> {
  note('instance', 'devlxd events config');
  const words = ['--state-dir', state, 'exec', 'c1', '--', 'devlxd', 'events', 'config'];
  const inside = spawn(join(BIN, 'porthole'), words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = Promise.withResolvers<void>();
  createInterface({ input: inside.stdout }).on('line', (line) => {
    note('output', line);
    said.resolve();
  });
  await pause(PAUSE_MS);
  await change();
  await said.promise;
  inside.kill('SIGTERM');
}

try {
  await host('image build busybox');
  await host('launch busybox c1 -c user.colour=blue');
  note('instance', 'devlxd /1.0/config/user.colour');
  note('output', (await porthole('exec', 'c1', '--', 'devlxd', '/1.0/config/user.colour')).stdout.trim());
  await pause(PAUSE_MS);
  await follow(() => host('config set c1 user.colour=green'));
  await host('list -c ns4');
  writeFileSync(join(ROOT, 'docs/session.svg'), drawSession(lines));
} finally {
  await porthole('delete', '--force', 'c1').catch(() => {});
  daemon.kill('SIGTERM');
  await ended;
  rmSync(state, { recursive: true, force: true });
}
