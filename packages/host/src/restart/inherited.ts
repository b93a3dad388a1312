import { rmSync } from 'node:fs';
import { CodedError } from '../base/coded-error.ts';
import type { InheritedSocket } from '../base/sockets.ts';
import { SERVICE_VARIABLES } from '../service-manager/service-manager.ts';

/** Open files that this process had when the program began: all of them, some, or none. */
export interface Inherited {
  /** The state directory's lock, held. */
  readonly lock?: number;
  readonly guest?: InheritedSocket;
  readonly host?: InheritedSocket;
  /** Connections without a request so far. */
  readonly guestConnections: readonly number[];
  readonly hostConnections: readonly number[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const NOTHING: Inherited = { guestConnections: [], hostConnections: [] };

/** The variable in which a daemon describes what it leaves to the next one in the same process. */
const TAKE_OVER_VARIABLE = 'PORTHOLE_HAND_OVER';

/** The first descriptor that a service manager passes, sd_listen_fds(3). */
const LISTEN_FDS_START = 3;

/** Variables that are for this process only, and must not reach the programs that it starts. */
export const OWN_VARIABLES = [
  TAKE_OVER_VARIABLE,
  'PORTHOLE_PROGRAM',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  ...SERVICE_VARIABLES,
];

/**
 * Reads which descriptors the daemon before this one, or the service manager, has left open for this process.
 * @throws CodedError `bad-settings` when it cannot be understood
 */
export function readInherited(env: Environment, pid: number): Inherited {
  return leftByPredecessor(env[TAKE_OVER_VARIABLE], pid) ?? activated(env, pid) ?? NOTHING;
}

/** The environment in which the next daemon finds what is left to it. */
export function leftTo(env: Environment, pid: number, inherited: Inherited): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('LISTEN_')) as [string, string][];
  return Object.fromEntries([...kept, [TAKE_OVER_VARIABLE, JSON.stringify({ pid, ...inherited })]]);
}

/** Removes the socket files that no daemon takes over, except those that a service manager has opened. */
export function discard({ guest, host }: Inherited): void {
  for (const socket of [guest, host]) if (socket?.path !== undefined) rmSync(socket.path, { force: true });
}

/** All descriptors in it. */
export function descriptorsOf({ lock, guest, host, ...more }: Inherited): number[] {
  const single = [lock, guest?.fd, host?.fd].filter((fd) => fd !== undefined);
  return [...single, ...more.guestConnections, ...more.hostConnections];
}

function leftByPredecessor(text: string | undefined, pid: number): Inherited | null {
  if (text === undefined) return null;
  const { pid: meant, ...inherited } = JSON.parse(text) as Inherited & { pid: number };
  return meant === pid ? inherited : null;
}

/** Socket activation, sd_listen_fds(3): each socket is recognised by the name that its unit gives it. */
function activated(env: Environment, pid: number): Inherited | null {
  if (env['LISTEN_PID'] !== String(pid)) return null;
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  if (names.length !== Number(env['LISTEN_FDS'])) throw unknownSockets(env);
  const sockets: { guest?: InheritedSocket; host?: InheritedSocket } = {};
  for (const [index, name] of names.entries()) {
    if ((name !== 'guest' && name !== 'host') || sockets[name]) throw unknownSockets(env);
    sockets[name] = { fd: LISTEN_FDS_START + index };
  }
  return { ...NOTHING, ...sockets };
}

function unknownSockets(env: Environment): CodedError {
  const given = `LISTEN_FDS=${env['LISTEN_FDS'] ?? ''} LISTEN_FDNAMES=${env['LISTEN_FDNAMES'] ?? ''}`;
  return new CodedError('bad-settings', 400, `${given}: sockets must be named "guest" and "host", each once`);
}
