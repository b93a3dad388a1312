import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withoutServices } from './no-services.mjs';

const pathOf = (options) => options[1]?.replace('DPkg::Path=', '') ?? '';

describe('an installation without services', () => {
  it('finds harmless starters first, and removes them afterwards', async () => {
    const folder = await withoutServices(['gcc', 'nginx-light'], async (options) => {
      const env = { PATH: pathOf(options) };
      expect(spawnSync('invoke-rc.d', ['nginx', 'start'], { env }).status).toBe(0);
      expect(spawnSync('deb-systemd-invoke', ['start', 'nginx.service'], { env }).status).toBe(0);
      return pathOf(options).split(':')[0];
    });
    expect(folder).toMatch(/^\/var\/tmp\//);
    expect(existsSync(folder)).toBe(false);
  });

  it('is one without the service of etcd, which its package would start', async () => {
    expect(await withoutServices(['etcd-server'], async (options) => options)).toHaveLength(2);
  });

  it('leaves nothing when it fails', async () => {
    let folder = '';
    const failing = withoutServices(['lxd'], async (options) => {
      folder = pathOf(options).split(':')[0];
      throw new Error('no network');
    });
    await expect(failing).rejects.toThrow('no network');
    expect(existsSync(folder)).toBe(false);
  });

  it('is an ordinary one for packages without a server of the benchmarks', async () => {
    expect(await withoutServices(['lxc', 'curl'], async (options) => options)).toEqual([]);
  });
});
