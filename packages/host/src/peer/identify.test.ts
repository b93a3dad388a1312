import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../core/caller.ts';
import { PinnedProcess } from '../native/pinned-process.ts';
import { identify } from './identify.ts';
import { detectKernel, heldProcKernel, pidfdKernel, procKernel } from './kernel.ts';
import { Registry } from './registry.ts';
import { APART } from './testing/apart.ts';

const OWN_UID = process.getuid?.();

let folder: string;

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-peer-');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fdOf = (socket: Socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd;

/** A process in a PID namespace of its own that connects when it reads a line. */
const CONNECT = `
  const net = require('node:net');
  process.stdin.once('data', () => net.connect(process.argv[1]).on('error', () => process.exit(1)));
  console.log('up');
`;

async function caller(path: string) {
  const args = [...APART, process.execPath, '-e', CONNECT, path];
  const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const { readFileSync } = await import('node:fs');
  const init = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
  return { child, init };
}

function held(pid: number): PinnedProcess {
  const process = PinnedProcess.find(pid);
  if (!process) throw new Error(`there is no process ${pid}`);
  return process;
}

async function identified(
  kernel: typeof procKernel,
  registry: Registry,
  go: (path: string) => void,
): Promise<Caller> {
  const path = join(folder, 'sock');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const connected = once(server, 'connection') as Promise<[Socket]>;
  go(path);
  const [socket] = await connected;
  const result = identify(kernel, registry, fdOf(socket)).caller;
  socket.destroy();
  server.close();
  return result;
}

describe.each([pidfdKernel, heldProcKernel, procKernel])('identify by $name', (kernel) => {
  it('recognises root of a registered PID namespace, and not after it is unregistered', async () => {
    const registry = new Registry();
    const path = join(folder, 'sock');
    for (const known of [true, false]) {
      const { child, init } = await caller(path);
      const runNumber = registry.register(7, held(init));
      if (!known) registry.unregister(7);
      const found = await identified(kernel, registry, () => child.stdin.write('\n'));
      expect(found).toEqual(
        known ? { kind: 'instance', instanceId: 7, runNumber } : { kind: 'no-instance', uid: OWN_UID },
      );
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    registry.clear();
  });

  it('takes a process of the host for an unknown caller', async () => {
    const sockets: Socket[] = [];
    const found = await identified(kernel, new Registry(), (path) => sockets.push(connect(path)));
    expect(found).toEqual({ kind: 'no-instance', uid: OWN_UID });
    for (const socket of sockets) socket.destroy();
  });
});

describe('Registry', () => {
  it('refuses a process that has no PID namespace of its own', () => {
    expect(() => new Registry().register(1, held(process.pid))).toThrow(/in the PID namespace of the host/);
  });

  it('refuses a process that has been released', async () => {
    const { child, init } = await caller(join(folder, 'sock'));
    const released = held(init);
    released.release();
    expect(() => new Registry().register(1, released)).toThrow(/is gone/);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});

describe('detectKernel', () => {
  it('takes the best way that this kernel has, but none better than the wanted one', () => {
    expect(detectKernel('auto')).toBe(pidfdKernel);
    expect(detectKernel('pidfd')).toBe(pidfdKernel);
    expect(detectKernel('pidfd-proc')).toBe(heldProcKernel);
    expect(detectKernel('proc')).toBe(procKernel);
  });
});
