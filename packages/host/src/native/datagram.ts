import { close, declare } from './libc.ts';
import { AF_UNIX, unixAddress } from './unix-address.ts';

const socket = declare('int socket(int family, int type, int protocol)');
const sendTo = declare(
  'long sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint addressLength)',
);

const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** Sends one datagram to a Unix socket, which Node has no means for. @returns whether the kernel has taken it */
export function sendDatagram(name: string, text: string): boolean {
  const fd = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return false;
  const bytes = Buffer.from(text);
  const address = unixAddress(name);
  const sent = sendTo(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
  close(fd);
  return Number(sent) === bytes.length;
}
