import { describe, expect, it } from 'vitest';
import { type Container, containerOf, withContainer } from './container.ts';

const WEB: Container = {
  runtime: 'podman',
  id: 'ab12',
  name: 'web',
  image: 'docker.io/library/nginx:1',
  digest: 'sha256:cd34',
  labels: { role: 'front "door"' },
  owner: '',
  record: '/var/lib/containers/storage/overlay-containers/ab12',
};

describe('The container of an instance', () => {
  it('is read from the keys that were written', () => {
    expect(containerOf(withContainer({}, WEB))).toEqual(WEB);
  });

  it('replaces the one before it, and leaves other keys', () => {
    const config = withContainer(withContainer({ 'user.a': '1' }, WEB), { ...WEB, digest: '', labels: {} });
    expect(containerOf(config)).toEqual({ ...WEB, digest: '', labels: {} });
    expect(withContainer(config, null)).toEqual({ 'user.a': '1' });
  });

  it('is null for an instance that no hook has adopted', () => {
    expect(containerOf({ 'user.a': '1' })).toBeNull();
  });

  it('has labels of one line, whatever they say', () => {
    const odd = { ...WEB, labels: { note: 'a\u2028b\nc' } };
    const config = withContainer({}, odd);
    expect(containerOf(config)).toEqual(odd);
    expect(Object.values(config).join('')).not.toMatch(/[\n\u2028]/);
  });

  it('remembers the keys that words have set', () => {
    const said = { ...WEB, said: ['user.a', 'user.b'] };
    expect(containerOf(withContainer({}, said))).toEqual(said);
  });

  it('keeps no control characters, and no labels that are too long', () => {
    const long = { ...WEB, image: 'a\n\u001b[31mb', labels: { big: 'x'.repeat(20_000) } };
    expect(containerOf(withContainer({}, long))).toMatchObject({ image: 'a  [31mb', labels: {} });
  });
});
