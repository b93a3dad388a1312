import { isMap, isScalar } from 'yaml';
import { hostError } from './host-errors.ts';
import { type Check, checkLine, hasControl, integer } from './texts.ts';
import { parseMemoryLimit } from './units.ts';
import { readYaml, YAML_LENGTH_MAX } from './yaml-text.ts';

/** `limits.memory`. */
export const checkMemory: Check = (value) => {
  parseMemoryLimit(value);
};

/** The highest processor number; Linux supports at most 8192 processors on x86-64. */
const CPU_MAX = 8191;

/** `limits.cpu`: a count such as `2`, or a set such as `0-1,3`. */
export const checkCpu: Check = (value) => {
  if (/^\d+$/.test(value)) return integer(1, CPU_MAX + 1)(value);
  for (const part of value.split(',')) {
    const [, from = '', to = from] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part) ?? [];
    const isRange = from !== '' && Number(from) <= Number(to) && Number(to) <= CPU_MAX;
    if (!isRange)
      throw hostError('bad-request', `Invalid CPU limit "${value}", must be a count or a set such as 0-1,3`);
  }
};

/** The names of `limits.kernel.*`, from prlimit(1). */
const KERNEL_LIMITS: ReadonlySet<string> = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  ),
);

/** `limits.kernel.*`: a soft and a hard limit, or one limit for both. */
export function checkKernelLimit(value: string, name: string): void {
  if (!KERNEL_LIMITS.has(name)) throw hostError('bad-request', `Unknown kernel limit "${name}"`);
  const isLimit = /^(unlimited|\d{1,19})(:(unlimited|\d{1,19}))?$/.test(value);
  if (!isLimit)
    throw hostError('bad-request', `Invalid kernel limit "${value}", must be "limit" or "soft:hard"`);
}

/** `linux.sysctl.*`: the name becomes a path under /proc/sys. */
export function checkSysctl(value: string, name: string): void {
  const isName = /^[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*$/.test(name);
  if (!isName) throw hostError('bad-request', `Invalid sysctl name "${name}"`);
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value))
    throw hostError('bad-request', `Invalid value for sysctl "${name}"`);
}

/** `environment.*`: a name without `=`, blanks, controls; a value that fits on one line of LXC's config. */
export function checkEnvironment(value: string, name: string): void {
  if (/[=\s]/.test(name) || hasControl(name))
    throw hostError('bad-request', `Invalid environment variable name "${name}"`);
  if (/[\r\n]/.test(value)) {
    throw hostError('bad-request', `Environment variable "${name}" may not have line breaks in its value`);
  }
}

/** `cloud-init.network-config`. */
export const checkYaml: Check = (value) => {
  if (value.length > YAML_LENGTH_MAX) {
    throw hostError('bad-request', `The maximum length of a network-config is ${YAML_LENGTH_MAX} characters`);
  }
  const document = readYaml(value, { schema: 'core', uniqueKeys: false });
  if (!document) throw hostError('bad-request', 'network-config is not valid YAML');
  const { contents } = document;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null);
  if (!isEmpty && !isMap(contents)) throw hostError('bad-request', 'network-config is not a mapping');
};

/** `cloud-init.ssh-keys.*`: one key or import id of one user. */
export const checkSshKey: Check = checkLine;
