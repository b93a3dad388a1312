import { describe, expect, it } from 'vitest';
import { npmProblem, platformProblem } from './platform.mjs';

const good = { platform: 'linux', arch: 'arm64', node: 'v20.20.2', uid: 0, script: 'start', needsRoot: true };

describe('the platform', () => {
  it('is fine on Linux with Node 20, as root', () => {
    expect(platformProblem(good)).toBeNull();
  });

  it('is refused with one line that says what to do', () => {
    expect(platformProblem({ ...good, platform: 'darwin' })).toMatch(/Linux only/);
    expect(platformProblem({ ...good, arch: 'riscv64' })).toMatch(/x64 and arm64/);
    expect(platformProblem({ ...good, node: 'v18.20.0' })).toMatch(/Node 20 or later/);
    expect(platformProblem({ ...good, uid: 1000 })).toMatch(/sudo npm start/);
  });

  it('is fine for any user where root is not needed', () => {
    expect(platformProblem({ ...good, uid: 1000, needsRoot: false })).toBeNull();
    expect(platformProblem({ ...good, platform: 'darwin', needsRoot: false })).toMatch(/Linux only/);
  });

  it('compares versions as numbers', () => {
    expect(npmProblem('11.0.0')).toBeNull();
    expect(npmProblem('9.9.9')).toMatch(/npm 11 or later/);
    expect(npmProblem('command not found')).toMatch(/npm 11 or later/);
  });
});
