import type { Backups } from '../backups.ts';
import type { Copy } from '../order.ts';

/** Makes copies in memory; fails as the test says. */
export class FakeBackups implements Pick<Backups, 'list' | 'create' | 'settings' | 'failure'> {
  readonly settings = { folder: '/copies', minutes: 60, count: 48 };
  failure: Backups['failure'] = null;
  copies: readonly Copy[] = [];

  async list(): Promise<readonly Copy[]> {
    return this.copies;
  }

  async create(onProgress: (percent: number) => void = () => {}): Promise<Copy> {
    onProgress(100);
    const name = `copy${this.copies.length + 1}.db`;
    this.copies = [{ name, createdAt: '2026-11-28T20:00:00.000Z', bytes: 4096 }, ...this.copies];
    return this.copies[0] as Copy;
  }
}
