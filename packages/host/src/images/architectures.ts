import { arch } from 'node:os';

/** Architectures by the name that LXD's API uses (the kernel's), each with its other names. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  i686: ['i386', 'i486', 'i586', '386', 'x86', 'generic_32'],
  x86_64: ['amd64', 'x64', 'generic_64'],
  armv6l: ['armel', 'armv6'],
  armv7l: ['armhf', 'armhfp', 'arm', 'armv7', 'armv7a_hardfp', 'armv7a_vfpv3_hardfp'],
  armv8l: ['armv8'],
  aarch64: ['arm64', 'arm64_generic'],
  ppc: ['powerpc'],
  ppc64: ['powerpc64'],
  ppc64le: ['ppc64el', 'powerpc64le', 'powerpc64el'],
  s390x: ['mainframe'],
  mips: ['mipsel', 'mipsle'],
  mips64: ['mips64el', 'mips64le'],
  riscv32: ['rv32'],
  riscv64: ['rv64'],
  loongarch64: ['loong64'],
};

/** Node's names that are not among the names above; Node runs only on little-endian POWER. */
const NODE_NAMES: Readonly<Record<string, string>> = { ia32: 'i686', ppc64: 'ppc64le' };

const CANONICAL = new Map(
  Object.entries(ARCHITECTURES).flatMap(([name, others]) => [name, ...others].map((text) => [text, name])),
);

/** The canonical name of an architecture given by any of its names; undefined when it is not known. */
export function canonicalArchitecture(text: string): string | undefined {
  return CANONICAL.get(text);
}

/** Canonical name of the architecture that this host runs. */
export function hostArchitecture(): string {
  return NODE_NAMES[arch()] ?? canonicalArchitecture(arch()) ?? arch();
}
