import { describe, expect, it } from 'vitest';
import { descriptorsOf, leftTo, readInherited } from './inherited.ts';

const PID = 42;
const NOTHING = { guestConnections: [], hostConnections: [] };

const systemd = (names: string, fds = names.split(':').length) => ({
  LISTEN_PID: String(PID),
  LISTEN_FDS: String(fds),
  LISTEN_FDNAMES: names,
});

describe('the inheritance of a process', () => {
  it('is nothing in a plain environment', () => {
    expect(readInherited({ PATH: '/bin' }, PID)).toEqual(NOTHING);
  });

  it('is the sockets that a service manager has opened, by their names', () => {
    expect(readInherited(systemd('host:guest'), PID)).toEqual({
      ...NOTHING,
      host: { fd: 3 },
      guest: { fd: 4 },
    });
    expect(readInherited(systemd('guest'), PID)).toEqual({ ...NOTHING, guest: { fd: 3 } });
  });

  it('is nothing when the service manager means another process', () => {
    expect(readInherited(systemd('guest'), PID + 1)).toEqual(NOTHING);
  });

  it.each([
    ['a name of another unit', systemd('unknown')],
    ['the same name twice', systemd('guest:guest')],
    ['no names', { LISTEN_PID: String(PID), LISTEN_FDS: '1' }],
    ['more sockets than names', systemd('guest', 2)],
  ])('is refused with %s', (_, env) => {
    expect(() => readInherited(env, PID)).toThrow(/must be named "guest" and "host"/);
  });

  it('is all that the daemon before has left, without the variables that the service manager gave to that one', () => {
    const left = {
      lock: 20,
      guest: { fd: 21, path: '/x/sock' },
      host: { fd: 22 },
      guestConnections: [23, 24],
      hostConnections: [25],
    };
    const env = leftTo({ PATH: '/bin', ...systemd('guest:host') }, PID, left);
    expect(Object.keys(env).filter((name) => name.startsWith('LISTEN'))).toEqual([]);
    expect(env['PATH']).toBe('/bin');
    expect(readInherited(env, PID)).toEqual(left);
    expect(readInherited(env, PID + 1)).toEqual(NOTHING);
    expect(descriptorsOf(left)).toEqual([20, 21, 22, 23, 24, 25]);
  });
});
