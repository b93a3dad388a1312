import { expect, test as it } from 'vitest';
import { lateModule, laterModule } from './late-modules.ts';

/** The functions of such a module, and the modules that were loaded so far. */
async function loaded(name: string) {
  const asked: string[] = [];
  const real = process.getBuiltinModule;
  const module = await import(`data:text/javascript,${encodeURIComponent(lateModule(name))}`);
  process.getBuiltinModule = ((id: string) => {
    asked.push(id);
    return real(id);
  }) as typeof process.getBuiltinModule;
  return { module, asked, [Symbol.dispose]: () => void Object.assign(process, { getBuiltinModule: real }) };
}

it('a late module is loaded by the first call of one of its functions', async () => {
  using late = await loaded('node:crypto');
  expect(late.asked).toEqual([]);
  expect(late.module.createHash('sha256').update('a').digest('hex')).toMatch(/^ca978112ca1bbdca/);
  expect(late.module.default.createHash).toBe(late.module.createHash);
  expect(late.asked).toEqual(['node:crypto']);
});

it('a late module has no classes and no constants', async () => {
  using late = await loaded('node:child_process');
  expect(Object.keys(late.module)).toEqual(expect.arrayContaining(['spawn', 'spawnSync', 'execFile']));
  expect(late.module.ChildProcess).toBeUndefined();
});

it('a module is late where only functions of it are used: libraries may need classes of others', () => {
  const ours = '/porthole/packages/host/src/core/random.ts';
  const ws = '/porthole/node_modules/ws/lib/websocket.js';
  expect(laterModule('node:crypto', ours)).toBe('node:crypto');
  expect(laterModule('crypto', '/porthole/node_modules/other/index.js')).toBeUndefined();
  expect(laterModule('tls', ws)).toBe('node:tls');
  expect(laterModule('node:http2', '/porthole/node_modules/fastify/lib/server.js')).toBe('node:http2');
  expect(laterModule('node:https', '/porthole/node_modules/other/index.js')).toBeUndefined();
});
