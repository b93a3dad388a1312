import { expect, it } from 'vitest';
import { silentLog } from '../../base/log.ts';
import { openEtcd } from '../../etcd/client.ts';
import { EtcdShared } from './etcd-shared.ts';
import { FleetKeys } from './fleet-keys.ts';

it('while it follows nothing, as when its state is taken over, a change is refused as while it is cut off', async () => {
  const etcd = openEtcd({ endpoints: ['http://127.0.0.1:1'] });
  const keeper = { run: 'r', fence: () => null, renew: async () => {} };
  const store = new EtcdShared({ etcd, keys: new FleetKeys('/p/'), member: 'ma', keeper, log: silentLog });
  const commit = { changes: [], based: 0, same: [], uses: [], unused: [], apply: () => {} };
  await expect(store.commit(commit)).rejects.toThrow('This member is cut off from the fleet');
  etcd.close();
});
