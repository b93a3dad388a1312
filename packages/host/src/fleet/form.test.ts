import { expect, it } from 'vitest';
import { checkForm, FORM } from './form.ts';

const members = (...apis: readonly number[]) => apis.map((api, at) => ({ name: `m${at}`, api }));

it('a host that does not understand it is refused, with what to do', () => {
  expect(() => checkForm(members(FORM + 2, FORM + 1), 'new')).toThrow(
    `write records in form ${FORM + 1}, and this version of Porthole understands forms up to ${FORM}: install`,
  );
});

it('a host of an older or newer version works next to members that wait for it, and alone', () => {
  expect(() => checkForm(members(FORM, FORM + 1), 'new')).not.toThrow();
  expect(() => checkForm(members(FORM), 'new')).not.toThrow();
  expect(() => checkForm([], 'new')).not.toThrow();
  expect(() => checkForm([{ name: 'own', api: FORM + 1 }], 'own')).not.toThrow();
});

it('a member starts as long as it holds the others to a form that it understands, however new they are', () => {
  expect(() => checkForm([...members(FORM + 1, FORM + 1), { name: 'own', api: FORM }])).not.toThrow();
  expect(() => checkForm([...members(FORM + 1), { name: 'own', api: FORM + 1 }])).toThrow(
    'write records in form',
  );
});
