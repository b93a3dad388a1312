import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { BIN } from './harness/daemon.ts';

const UNITS = ['portholed.service', 'portholed.socket', 'portholed-guest.socket'];
const unit = (name: string) => readFileSync(join(BIN, '..', 'systemd', name), 'utf8');
const SUPERVISOR = fileURLToPath(new URL('./programs/supervisor.py', import.meta.url));

describe('a daemon that a service manager has started', () => {
  let stateDir: string;
  let bin: string;
  let supervisor: ChildProcess;
  const said: string[] = [];

  beforeAll(async () => {
    stateDir = mkdtempSync('/var/tmp/porthole-test-');
    mkdirSync(join(stateDir, 'devlxd'));
    const daemon = [join(BIN, 'portholed'), '--state-dir', stateDir];
    bin = mkdtempSync('/var/tmp/porthole-test-bin-');
    // LXC takes a second longer to say its version.
    const slow = `#!/bin/sh\nsleep 1\nPATH=${process.env['PATH']}; exec lxc-start "$@"\n`;
    writeFileSync(join(bin, 'lxc-start'), slow, { mode: 0o755 });
    supervisor = spawn('python3', [SUPERVISOR, guestSocket(), hostSocket(), ...daemon], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
    });
    createInterface({ input: supervisor.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      said.push(line);
    });
    await until('the sockets are there', () => count('listening') === 1);
  });
  afterAll(async () => {
    const ended = once(supervisor, 'exit');
    supervisor.stdin?.end();
    if (supervisor.exitCode === null) await ended;
    for (const folder of [stateDir, bin]) rmSync(folder, { recursive: true, force: true });
  });

  const guestSocket = () => join(stateDir, 'devlxd', 'sock');
  const hostSocket = () => join(stateDir, 'unix.socket');
  const tell = (order: string) => supervisor.stdin?.write(`${order}\n`);
  const count = (beginning: string) => said.filter((line) => line.startsWith(beginning)).length;
  const pids = () => said.filter((line) => line.startsWith('pid '));

  /** Makes a request on a new connection, whether the daemon runs or not. */
  async function ask(socketPath: string): Promise<string> {
    const asking = request({ socketPath, path: '/1.0', headers: { host: 'lxd' }, agent: false }).end();
    const [response] = (await once(asking, 'response')) as [NodeJS.ReadableStream];
    return text(response);
  }
  const isServed = async (answers: Promise<string>[]) => {
    const [guest, host] = await Promise.all(answers);
    expect(guest).toBe('Process ID not found in container\n');
    expect(host).toContain('"api_version":"1.0"');
  };
  const askBoth = () => [ask(guestSocket()), ask(hostSocket())];

  it('answers clients that have connected before it started, and reports when it is ready', async () => {
    const answers = askBoth();
    tell('start');
    await isServed(answers);
    await until('it says that it is ready', () => count('READY=1') === 1);
  });

  it('sends watchdog messages also before it is ready', () => {
    expect(said.indexOf('WATCHDOG=1')).toBeGreaterThan(-1);
    expect(said.indexOf('WATCHDOG=1')).toBeLessThan(said.indexOf('READY=1'));
  });

  it('keeps sending watchdog messages', async () => {
    const before = count('WATCHDOG=1');
    await until('three signs of life', () => count('WATCHDOG=1') >= before + 3);
  });

  it('reports a restart in place, and when it is ready again, as the same process', async () => {
    tell('signal SIGHUP');
    await until('it restarts', () => count('RELOADING=1') === 1);
    const answers = askBoth();
    await until('it is ready again', () => count('READY=1') === 2);
    await isServed(answers);
    expect(said.find((line) => line.startsWith('MONOTONIC_USEC='))).toMatch(/=\d+$/);
    expect([pids().length, count('exited')]).toEqual([1, 0]);
  });

  it.each([
    ['is stopped', 'SIGTERM', 'exited 0', 1],
    ['is killed', 'SIGKILL', 'exited -9', 1],
  ])('leaves the sockets to the service manager when it %s', async (_, signal, end, stopping) => {
    tell(`signal ${signal}`);
    await until(end, () => count(end) === 1);
    expect(count('STOPPING=1')).toBe(stopping);
    expect([existsSync(guestSocket()), existsSync(hostSocket())]).toEqual([true, true]);
    const answers = askBoth();
    tell('start');
    await isServed(answers);
  });
});

describe('the systemd units', () => {
  it('are accepted by systemd-analyze', async () => {
    const folder = mkdtempSync('/var/tmp/porthole-units-');
    for (const name of UNITS) {
      const here = unit(name).replaceAll('/opt/porthole/bin/', BIN);
      writeFileSync(join(folder, name), here);
    }
    const verified = await run('systemd-analyze', ['verify', ...UNITS.map((name) => join(folder, name))]);
    rmSync(folder, { recursive: true });
    const about = verified.stderr.split('\n').filter((line) => line.includes('porthole'));
    expect([verified.code, about]).toEqual([0, []]);
  });

  it('give the host API only to root and its group, and the guest API to all users', () => {
    expect(unit('portholed.socket')).toMatch(/SocketGroup=porthole\nSocketMode=0660\n/);
    expect(unit('portholed-guest.socket')).toMatch(/SocketMode=0666\n/);
    expect(unit('portholed.service')).toMatch(/\nKillMode=process\n/);
  });

  it('start the daemon when the network is up, on which its instances have bridges', () => {
    const service = unit('portholed.service');
    expect(service).toMatch(/\nWants=network-online\.target\n/);
    expect(service).toMatch(/\nAfter=.*\bnetwork-online\.target\n/);
  });

  it('restart the daemon without limit, so that the sockets stay, and check the program before a reload', () => {
    const service = unit('portholed.service');
    expect(service).toMatch(/\nRestart=always\nRestartSec=1s\n/);
    expect(service).toMatch(/\[Unit\][^[]*\nStartLimitIntervalSec=0\n/);
    expect(service).toMatch(
      /\nExecReload=\S+\/portholed --check-start\nExecReload=\/bin\/kill -HUP \$MAINPID\n/,
    );
  });
});
