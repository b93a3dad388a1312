import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostNamesLine, readHostNames } from './host-names.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-test-names-');
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = () => join(folder, 'config');

describe('the host sides of nics', () => {
  it('are read as they were written, whatever the devices are called', () => {
    const nic = (hostName: string) => ({ type: 'nic', host_name: hostName });
    const line = hostNamesLine({ eth0: nic('veth1'), '__proto__ "x"': nic('veth2'), root: { type: 'disk' } });
    writeFileSync(path(), `lxc.include = x\n${line}\nlxc.net.0.type = veth\n`);
    expect(Object.entries(readHostNames(path()))).toEqual([
      ['eth0', 'veth1'],
      ['__proto__ "x"', 'veth2'],
    ]);
    expect(line).not.toContain('\n');
  });

  it.each(['', 'lxc.net.0.type = empty\n', '# host side of nics: {"eth0"'])(
    'are unknown when the file says nothing of them: %j',
    (text) => {
      writeFileSync(path(), text);
      expect(readHostNames(path())).toEqual({});
    },
  );

  it('are unknown without a file', () => {
    expect(readHostNames(path())).toEqual({});
  });
});
