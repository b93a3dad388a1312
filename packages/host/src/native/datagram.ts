import { close, declare } from './libc.ts';
import { openDatagramSocket } from './sockets.ts';
import { unixAddress } from './unix-address.ts';

const sendTo = declare(
  'long sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint addressLength)',
);

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** Sends one datagram to a Unix socket; Node cannot. @returns whether the kernel has taken it */
export function sendDatagram(name: string, text: string): boolean {
  const fd = openDatagramSocket();
  if (fd < 0) return false;
  const bytes = Buffer.from(text);
  const address = unixAddress(name);
  const sent = sendTo(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
  close(fd);
  return Number(sent) === bytes.length;
}
