import type { Words } from '../http-mutate.ts';

/** The fingerprint of the image that the fuzzed guest API has. */
export const FINGERPRINT = 'f0'.repeat(32);

/** Words of the guest API. */
export const GUEST_WORDS: Words = {
  methods: [
    'GET',
    'GET',
    'GET',
    'HEAD',
    'PUT',
    'PATCH',
    'DELETE',
    'POST',
    'OPTIONS',
    'get',
    'FOO',
    'CONNECT',
  ],
  paths: [
    ...['/', '/1.0', '/1.0/config', '/1.0/devices', '/1.0/meta-data', '/1.0/ubuntu-pro', '/1.0/events', '*'],
    ...['foo', '%C3%BCni', '\xfcni', 'large', 'sl%2Fash', 'none', '%zz', 'pct%2541', ''].map(
      (key) => `/1.0/config/user.${key}`,
    ),
    ...[
      '/1.0/config/guest.a',
      '/1.0/config/guest.b',
      '/1.0/config/cloud-init.user-data',
      '/1.0/config/a/../b',
    ],
    ...[
      `/1.0/images/${FINGERPRINT}/export`,
      '/1.0/images/x/export',
      '/2.0',
      '//1.0',
      '/1.0/',
      '/1.0/./config',
    ],
    ...['http://lxd/1.0', 'http://lxd', 'https://lxd/', '/..', '/%2e%2e/', '/1.0/config//'],
  ],
  queries: [
    ...['since=now', 'since=0', 'since=0&limit=2', 'since=now&limit=1', 'since=99', 'limit=1', 'type=config'],
    ...[
      'since=0&limit=256&type=device',
      'type=config,device',
      'type=',
      'wait=1',
      'wait=0',
      'wait=301',
      'wait=-1',
    ],
    ...['a=b', '%61=%62', 'a;b', '&&&', 'since=%30', 'since=+1', 'limit=0', 'limit=9999'],
  ],
  headers: [
    ...[
      'Connection: close',
      'Connection: keep-alive',
      'Connection: x, close',
      'Connection: upgrade',
      'Accept: */*',
    ],
    ...[
      'If-None-Match: *',
      'If-None-Match: "x", W/"y"',
      'Range: bytes=0-1',
      'Range: bytes=-1',
      'Range: bytes=5-1,2-',
    ],
    ...[
      'Range: bytes=0-,0-,0-',
      'Upgrade: websocket',
      'Upgrade: h2c',
      'Sec-WebSocket-Version: 13',
      'Host: l/d',
    ],
    ...['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Origin: http://lxd', 'Origin: null', 'If-Range: "x"'],
    ...[
      'X: y\r\n folded',
      'X : y',
      '\xc4: y',
      'X: \x01',
      ' X: y',
      'Expect: 100-continue',
      'Expect: tea',
      'Host: lxd',
    ],
  ],
  bodies: [
    ...[
      '{"state":"Ready"}',
      '{"state":"Started"}',
      '{"state":null}',
      '{"STATE":"x"} {}',
      '[1,{"a":[]}]',
      'value',
    ],
    ...[
      '\xff\xfe',
      'gr\xc3\xbcn',
      '',
      '{"state":"\\ud800"}',
      'x'.repeat(5000),
      '{'.repeat(500),
      '3\r\nabc\r\n0\r\n\r\n',
    ],
    ...['GET / HTTP/1.1\r\nHost: lxd\r\n\r\n', '0\r\n\r\nGET / HTTP/1.1\r\nHost: lxd\r\n\r\n'],
  ],
};
