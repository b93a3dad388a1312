import { constants } from 'node:fs';
import { ioctl, ioctlWith } from './ioctl.ts';
import { checked, close } from './libc.ts';

/** asm-generic/ioctls.h, the same on x86-64 and arm64. */
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TCFLSH = 0x540b;
const TIOCGPTPEER = 0x5441;
const TIOCSLCKTRMIOS = 0x5457;

/** struct termios of the kernel: four flags of 32 bits, the line discipline and 19 characters. */
const TERMIOS_BYTES = 36;
const C_IFLAG = 0;
const C_OFLAG = 4;
const C_LFLAG = 12;

const OPOST = 1;
const TCIFLUSH = 0;

/**
 * Makes a terminal pass every byte unchanged, in both directions, and prevents its users from turning the
 * translation of output on again (ioctl_tty(2), TIOCSLCKTRMIOS; root only).
 * @param fd of either end of a pty
 */
export function makeTransparent(fd: number): void {
  const termios = Buffer.alloc(TERMIOS_BYTES);
  checked('ioctl(TCGETS)', ioctlWith(fd, TCGETS, termios));
  termios.writeUInt32LE(0, C_IFLAG);
  termios.writeUInt32LE((termios.readUInt32LE(C_OFLAG) & ~OPOST) >>> 0, C_OFLAG);
  termios.writeUInt32LE(0, C_LFLAG);
  checked('ioctl(TCSETS)', ioctlWith(fd, TCSETS, termios));
  const locked = Buffer.alloc(TERMIOS_BYTES);
  locked.writeUInt32LE(OPOST, C_OFLAG);
  checked('ioctl(TIOCSLCKTRMIOS)', ioctlWith(fd, TIOCSLCKTRMIOS, locked));
}

/**
 * Drops the unread input of a pty, so that a blocked write to its master continues.
 * @param master descriptor of the master
 * @throws SystemError ENOTTY when it is not a pty, EIO when no process has the other end open
 */
export function dropInput(master: number): void {
  const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
  const peer = checked('ioctl(TIOCGPTPEER)', ioctl(master, TIOCGPTPEER, flags));
  try {
    checked('ioctl(TCFLSH)', ioctl(peer, TCFLSH, TCIFLUSH));
  } finally {
    close(peer);
  }
}
