import { describe, expect, it } from 'vitest';
import { Results } from '../frame/results.ts';
import { Aftermath } from './aftermath.ts';

const KIB_PER_MIB = 1024;

/** A daemon whose files and memory the test sets. */
class Holder {
  files = 50;
  mib = 100;
  looked = 0;

  openFiles(): number {
    this.looked++;
    return this.files;
  }

  sharedKib(): number {
    return this.mib * KIB_PER_MIB;
  }
}

describe('the files and the memory of the daemon', () => {
  const impatient = { plan: { aftermathSeconds: 0 }, signal: new AbortController().signal } as Parameters<
    Aftermath['after']
  >[0];

  it('are noted before an attack, at their largest during it, after it, and after a second time', async () => {
    const [results, daemon] = [new Results(), new Holder()];
    const aftermath = new Aftermath(results, daemon);
    aftermath.before();
    const attack = Promise.withResolvers<string>();
    const during = aftermath.during('put', attack.promise);
    daemon.files = 900;
    const before = daemon.looked;
    await expect.poll(() => daemon.looked, { timeout: 10_000 }).toBeGreaterThan(before);
    daemon.files = 60;
    attack.resolve('done');
    expect(await during).toBe('done');
    for (const mib of [110, 115, 999]) {
      daemon.mib = mib;
      await aftermath.after(impatient);
    }
    expect(results.of('neighbour-files', 'put')).toEqual([900]);
    expect(results.of('floods-memory', 'before')).toEqual([100]);
    expect(results.of('floods-memory', 'after')).toEqual([110]);
    expect(results.of('floods-memory', 'again')).toEqual([115]);
  });
});
