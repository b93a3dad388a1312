import { checked, declare } from './libc.ts';

const IPPROTO_TCP = 6;
const TCP_USER_TIMEOUT = 18;
const INT_BYTES = 4;

const setsockopt = declare(
  'int setsockopt(int fd, int level, int option, _Inout_ uint32_t *value, uint32_t bytes)',
);

/**
 * Ends a connection whose peer has not confirmed sent data, or probes of a silent connection, for so long. Without it the
 * kernel tries for a quarter of an hour. @throws SystemError
 */
export function setUserTimeout(fd: number, ms: number): void {
  checked('setsockopt', setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, Uint32Array.of(ms), INT_BYTES));
}
