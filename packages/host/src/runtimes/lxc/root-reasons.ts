import { messageOf } from '../../base/coded-error.ts';

const NO_LOOP = /failed to setup loop device|no free loop device|cannot find an unused loop device/i;
const MISSING = /^setpriv: .*failed to execute (\S+): No such file or directory$/s;
const PACKAGES: Readonly<Record<string, string>> = { 'mkfs.ext4': 'e2fsprogs', resize2fs: 'e2fsprogs' };

/** The reason why a tool has failed on an image, as a sentence. @param failure what the tool has printed */
export function imageReason(failure: string): string {
  if (NO_LOOP.test(failure)) return `the host has no free loop device (${failure})`;
  const program = MISSING.exec(failure)?.[1]?.replace(/:$/, '');
  const name = program === undefined ? undefined : PACKAGES[program];
  return name === undefined ? failure : `${program} is missing: apt-get install ${name}`;
}

/** The kernel's words, without the call and its path. */
export function bareReason(error: unknown): string {
  return messageOf(error).replace(/, \w+ '.*'$/s, '');
}
