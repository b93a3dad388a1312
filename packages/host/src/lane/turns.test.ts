import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CallerGroup } from './caller-group.ts';
import { Client } from './client.ts';
import { TURN_DEBT_US_MAX, TURN_US } from './lane-limits.ts';
import { LaneRun } from './lane-run.ts';
import { Turns } from './turns.ts';

function groupOf(instanceId: number): CallerGroup {
  return new LaneRun({ instanceId, runNumber: 1, rootUid: 0, namespace: '' }, undefined).root;
}

function takeAll(turns: Turns<Client>): Client[] {
  const taken: Client[] = [];
  while (!turns.none) taken.push(turns.take()!);
  return taken;
}

it('gives a lone connection the second turn, even if many connections of another group came before it', () => {
  const turns = new Turns<Client>();
  const [flood, lone] = [groupOf(1), groupOf(2)];
  for (let fd = 0; fd < 256; fd++) turns.add(new Client(fd, flood, 0));
  const victim = new Client(999, lone, 0);
  turns.add(victim);
  turns.charge(turns.take()!, TURN_US);
  expect(turns.take()).toBe(victim);
});

it('makes a connection that goes on wait for all other groups', () => {
  const turns = new Turns<Client>();
  const clients = [1, 2, 3].map((id) => new Client(id, groupOf(id), 0));
  for (const client of clients) turns.add(client);
  const order: number[] = [];
  for (let turn = 0; turn < 9; turn++) {
    const client = turns.take()!;
    order.push(client.fd);
    turns.charge(client, TURN_US);
    turns.add(client);
  }
  expect(order).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
});

it('makes a group that has taken ten turns at once wait ten rounds, and no other group', () => {
  const turns = new Turns<Client>();
  const [costly, plain] = [groupOf(1), groupOf(2)];
  const order: number[] = [];
  turns.add(new Client(1, costly, 0));
  turns.add(new Client(2, plain, 0));
  for (let turn = 0; turn < 13; turn++) {
    const client = turns.take()!;
    order.push(client.fd);
    turns.charge(client, client.fd === 1 ? 10 * TURN_US : TURN_US);
    turns.add(client);
  }
  expect(order.join('')).toBe('1222222222212');
});

it('makes a group wait only a few rounds for a turn in which the machine had other work', () => {
  const turns = new Turns<Client>();
  const [unlucky, other] = [groupOf(1), groupOf(2)];
  turns.add(new Client(1, unlucky, 0));
  turns.charge(turns.take()!, 1000 * TURN_DEBT_US_MAX);
  turns.add(new Client(1, unlucky, 0));
  turns.add(new Client(2, other, 0));
  let rounds = 0;
  for (let client = turns.take()!; client.fd !== 1; client = turns.take()!, rounds++) {
    turns.charge(client, TURN_US);
    turns.add(client);
  }
  expect(rounds).toBe(TURN_DEBT_US_MAX / TURN_US);
});

it('counts root and other users of an instance as one', () => {
  const turns = new Turns<Client>();
  const run = new LaneRun({ instanceId: 1, runNumber: 1, rootUid: 0, namespace: '' }, undefined);
  const clients = [run.root, run.others, groupOf(2)].map((group, fd) => new Client(fd, group, 0));
  for (const client of clients) turns.add(client);
  turns.charge(turns.take()!, TURN_US);
  expect([turns.take()?.fd, turns.take()?.fd]).toEqual([2, 1]);
});

it('saves no time for a group that was away', () => {
  const turns = new Turns<Client>();
  const [away, busy] = [groupOf(1), groupOf(2)];
  for (let time = 0; time < 100; time++) {
    turns.add(new Client(1, away, 0));
    turns.take();
  }
  for (let fd = 0; fd < 5; fd++) turns.add(new Client(fd, away, 0));
  turns.add(new Client(9, busy, 0));
  turns.charge(turns.take()!, TURN_US);
  expect(turns.take()?.fd).toBe(9);
});

it('gives each waiting connection one turn, in order within its group, in any mixture', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 200 }), (ids) => {
      const turns = new Turns<Client>();
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
