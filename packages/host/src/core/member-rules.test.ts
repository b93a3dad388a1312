import { describe, expect, it } from 'vitest';
import { checkMemberAddress, checkMemberName, checkRemoval } from './member-rules.ts';

const codeOf = (check: () => void) => {
  try {
    check();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return undefined;
};

describe("a member's name", () => {
  it.each(['a', 'ma', 'host-1', 'db1.example.org', '9', 'A'.repeat(63)])('may be %j', (name) => {
    expect(codeOf(() => checkMemberName(name))).toBeUndefined();
  });

  it.each(['', 'a b', 'a/b', '-a', 'a-', '.a', 'a.', '..', 'ä', 'a\n', 'a\0', 'A'.repeat(64), 'a_b', '%2f'])(
    'is refused if it is %j',
    (name) => expect(codeOf(() => checkMemberName(name))).toBe('member-name-invalid'),
  );
});

describe("a member's address", () => {
  it.each(['10.0.0.1:8443', 'ma.example.org:1', '[fd00::1]:65535', 'localhost:8443', '[::1]:8443'])(
    'may be %j',
    (address) => expect(codeOf(() => checkMemberAddress(address))).toBeUndefined(),
  );

  it.each([
    ...['', ':8443', '10.0.0.1', '10.0.0.1:', '10.0.0.1:0', '10.0.0.1:65536', '10.0.0.1:84430000', 'a b:1'],
    ...[
      'fd00::1:8443',
      '[fd00::1]',
      '[fd00::1:8443',
      '[10.0.0.1]:8443',
      '[:::]:1',
      'https://a:1',
      'a:1/',
      'a:1\n',
    ],
  ])('is refused if it is %j', (address) =>
    expect(codeOf(() => checkMemberAddress(address))).toBe('member-address-invalid'),
  );

  it.each(['0.0.0.0:8443', '0:8443', '[::]:8443', '[0:0:0:0:0:0:0:0]:8443'])(
    'is refused if others cannot connect to it: %j',
    (address) => expect(() => checkMemberAddress(address)).toThrow(/other members cannot connect to it/),
  );
});

describe('the removal of a member', () => {
  const gone = { name: 'mb', online: false, instances: [] as string[], force: false };

  it('is allowed if the member is gone and has no instances', () => {
    expect(codeOf(() => checkRemoval('ma', gone))).toBeUndefined();
  });

  it('is refused for the member that is asked, and for one that is online, also by force', () => {
    for (const force of [false, true]) {
      expect(codeOf(() => checkRemoval('mb', { ...gone, force }))).toBe('member-own');
      expect(codeOf(() => checkRemoval('ma', { ...gone, online: true, force }))).toBe('member-online');
    }
  });

  it('needs force if the member has instances, and names a few of them', () => {
    const instances = Array.from({ length: 12 }, (_, at) => `c${String(at).padStart(2, '0')}`).reverse();
    expect(() => checkRemoval('ma', { ...gone, instances })).toThrow(
      /: c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 2 more$/,
    );
    expect(codeOf(() => checkRemoval('ma', { ...gone, instances, force: true }))).toBeUndefined();
  });
});
