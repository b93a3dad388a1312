import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Client } from './client.ts';
import type { Group } from './group.ts';
import { Run } from './run.ts';
import { Turns } from './turns.ts';

function groupOf(instanceId: number): Group {
  return new Run({ instanceId, boot: 1, rootUid: 0, namespace: '' }, undefined).root;
}

function takeAll(turns: Turns): Client[] {
  const taken: Client[] = [];
  while (!turns.none) taken.push(turns.take()!);
  return taken;
}

it('gives a lone connection the second turn, however many of another group wait in front of it', () => {
  const turns = new Turns();
  const [flood, lone] = [groupOf(1), groupOf(2)];
  for (let fd = 0; fd < 256; fd++) turns.add(new Client(fd, flood, 0));
  const victim = new Client(999, lone, 0);
  turns.add(victim);
  turns.take();
  expect(turns.take()).toBe(victim);
});

it('lets a connection that goes on wait for all other groups', () => {
  const turns = new Turns();
  const clients = [1, 2, 3].map((id) => new Client(id, groupOf(id), 0));
  for (const client of clients) turns.add(client);
  const order: number[] = [];
  for (let turn = 0; turn < 9; turn++) {
    const client = turns.take()!;
    order.push(client.fd);
    turns.add(client);
  }
  expect(order).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
});

it('gives each waiting connection one turn, in order within its group, whatever the mixture', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 200 }), (ids) => {
      const turns = new Turns();
      const groups = [0, 1, 2, 3, 4, 5].map(groupOf);
      const clients = ids.map((id, fd) => new Client(fd, groups[id]!, 0));
      for (const client of clients) {
        turns.add(client);
        turns.add(client);
      }
      const taken = takeAll(turns);
      expect(taken.map(({ fd }) => fd).sort((a, b) => a - b)).toEqual(clients.map(({ fd }) => fd));
      for (const group of groups) {
        const fds = taken.filter((client) => client.group === group).map(({ fd }) => fd);
        expect(fds).toEqual([...fds].sort((a, b) => a - b));
      }
    }),
  );
});
