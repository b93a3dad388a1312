import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { cycles } from './harness/cycles.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

const IN_A_ROW = cycles(20, 50);
const LONGEST_PAUSE_MS = 60;
/** Moments around the one in which the new program replaces the old one. */
const MOMENTS_MS = cycles([0, 30], [0, 15, 30, 60]);

let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
});
afterAll(async () => {
  await daemon?.destroy();
});

const hangUp = () => process.kill(daemon.pid, 'SIGHUP');
const isServed = async () => expect(await operator.statuses()).toEqual({});

/** Changes a setting, sends SIGHUP, and waits until the daemon has the new setting. */
async function obeysSettings(name: string): Promise<void> {
  writeFileSync(join(daemon.stateDir, 'settings.yaml'), `server-name: ${name}\n`);
  hangUp();
  await until('the daemon has the new settings', async () => {
    const info = await operator.client.get<{ environment: { server_name: string } }>('/1.0');
    return info.environment.server_name === name;
  });
}

/** Begins a restart in place, and returns when the old program has handed over. */
async function handOver(): Promise<void> {
  const over = daemon.logged('daemon handed over');
  hangUp();
  await over;
}

/** How often the daemon has started so far. */
const starts = () => daemon.log.filter(({ msg }) => msg === 'daemon started').length;

/** Pid of the program that traces the daemon now, to keep its signals; 0 when there is none. */
function tracer(): number {
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
  return Number(/^TracerPid:\s*(\d+)/m.exec(status)?.[1]);
}

async function traced(): Promise<number> {
  while (tracer() === 0) await new Promise(setImmediate);
  return tracer();
}

describe('signals during a restart in place', () => {
  it.each(MOMENTS_MS)('SIGHUP %i ms after the old program has handed over is obeyed', async (ms) => {
    await handOver();
    await wait(ms);
    await obeysSettings(`after-${ms}`);
  });

  it(`SIGHUP ${IN_A_ROW} times, at random moments, is obeyed`, async () => {
    const { pid } = daemon;
    for (let count = 0; count < IN_A_ROW; count++) {
      hangUp();
      await wait(Math.random() * LONGEST_PAUSE_MS);
    }
    await obeysSettings('in-a-row');
    expect(daemon.pid).toBe(pid);
    await until('no process traces the daemon', () => tracer() === 0);
  });

  it.each(MOMENTS_MS)(
    'SIGTERM %i ms after the old program has handed over ends the new one cleanly',
    async (ms) => {
      await handOver();
      await wait(ms);
      expect(await daemon.stop()).toBe(0);
      expect([existsSync(daemon.guestSocket), existsSync(daemon.hostSocket)]).toEqual([false, false]);
      await daemon.start();
    },
  );

  it('are kept by a program; when it dies, the daemon goes on without it', async () => {
    const started = daemon.logged('daemon started');
    hangUp();
    process.kill(await traced(), 'SIGKILL');
    await started;
    await isServed();
  });

  it('reach a daemon that is stopped and continues', async () => {
    const before = starts();
    // The test looks for the tracer from the beginning, because it does not stay for long.
    hangUp();
    await traced();
    process.kill(daemon.pid, 'SIGSTOP');
    hangUp();
    process.kill(daemon.pid, 'SIGCONT');
    await until('it has started twice', () => starts() === before + 2);
    await isServed();
  });

  it('may end the daemon when no program can keep them, and the log says so', async () => {
    const folder = mkdtempSync('/var/tmp/porthole-test-bin-');
    const { PATH } = process.env;
    writeFileSync(join(folder, 'setsid'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    try {
      process.env['PATH'] = `${folder}:${PATH}`;
      await daemon.restart();
      const warned = daemon.logged('a signal in this moment would end the daemon');
      await daemon.restartInPlace();
      expect((await warned)['reason']).toBe('it could not be started');
    } finally {
      process.env['PATH'] = PATH;
      rmSync(folder, { recursive: true });
    }
    await daemon.restart();
  });

  it('leave no extra program running', async () => {
    await daemon.restartInPlace();
    const guards = async () =>
      (await run('pgrep', ['-f', `signal-guard.ts ${daemon.pid}$`])).stdout.split('\n').filter(Boolean);
    await until('the program that kept the signals has ended', async () => (await guards()).length === 0);
  });
});
