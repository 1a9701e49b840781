import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { identityKey, isEmail, isUsername } from './identity.ts';

describe('identityKey', () => {
  test('is the same in every case and Unicode form', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\p{L}\p{Nd}]{1,20}$/u), (text) => {
        const key = identityKey(text);
        for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const) {
          expect(identityKey(text.normalize(form))).toBe(key);
        }
        expect(identityKey(text.toUpperCase())).toBe(key);
        expect(identityKey(text.toUpperCase().toLowerCase())).toBe(key);
      }),
      { examples: [['straße'], ['STRAẞE'], ['ΟΔΟΣ'], ['ﬃ'], ['ｗｉｄｅ'], ['Å']] },
    );
  });

  test('is the same for ß, ẞ and ss', () => {
    for (const spelling of ['straße', 'STRASSE', 'strasse', 'STRAẞE', 'ſtraſſe']) {
      expect(identityKey(spelling)).toBe('strasse');
    }
  });

  test('is the same for a domain and its punycode', () => {
    const key = identityKey('info@müller.example');
    expect(identityKey('info@xn--mller-kva.example')).toBe(key);
    expect(identityKey('INFO@XN--MLLER-KVA.example')).toBe(key);
    expect(identityKey('info@MU\u0308LLER.example')).toBe(key);
    expect(identityKey('info@xn--strae-oqa.example')).toBe(identityKey('info@strasse.example'));
    // No punycode, and no domain at all.
    expect(identityKey('info@xn--0.example')).toBe('info@xn--0.example');
    expect(identityKey('info@b.example/x')).toBe('info@b.example/x');
    // Parts of an address, as in a search: not addresses of hosts.
    for (const part of ['info@1', 'info@163', 'info@163.']) expect(identityKey(part)).toBe(part);
  });

  test('keeps different names apart', () => {
    expect(identityKey('alice')).not.toBe(identityKey('alicé'));
    expect(identityKey('a.b')).not.toBe(identityKey('a_b'));
  });
});

describe('isUsername', () => {
  test.each(['alice', 'A.b-c_9', 'zoë', 'Ωmega', 'नमस्ते', '用户名', 'ｗｉｄｅ'])('takes %s', (name) => {
    expect(isUsername(name)).toBe(true);
  });

  test.each([
    'a b',
    'a@b',
    'a/b',
    'a\u200bb',
    'a\u3164b',
    '\u0301abc',
    'z\u0301\u0302\u0303\u0304',
    'a’b',
    '',
    'ﷺﷺﷺ',
  ])('refuses %j', (name) => {
    expect(isUsername(name)).toBe(false);
  });

  test('refuses a name whose key is longer than twice what a name may be', () => {
    expect(isUsername('ﬃ'.repeat(53))).toBe(true);
    expect(isUsername('ﬃ'.repeat(54))).toBe(false);
  });
});

describe('isEmail', () => {
  test.each([
    'a@b.co',
    'first.last+tag@sub.example.com',
    "o'hara@example.ie",
    'jürgen@müller.example',
    '用户@例子.公司',
    'a@xn--mller-kva.example',
    `${'l'.repeat(64)}@example.com`,
  ])('takes %s', (email) => {
    expect(isEmail(email)).toBe(true);
  });

  test.each([
    '',
    'plain',
    '@example.com',
    'a@',
    'a@b',
    'a@@b.co',
    'a b@c.de',
    '.a@b.co',
    'a.@b.co',
    'a..b@c.de',
    'a@b..co',
    'a@-b.co',
    'a@b-.co',
    'a@127.0.0.1',
    'a@[127.0.0.1]',
    '"a b"@c.de',
    'a\u200b@b.co',
    'a@b.co\n',
    `${'l'.repeat(65)}@example.com`,
    `a@${'d'.repeat(64)}.com`,
    `a@${'d.'.repeat(130)}com`,
  ])('refuses %j', (email) => {
    expect(isEmail(email)).toBe(false);
  });

  test('takes no time for hostile input', () => {
    const before = process.cpuUsage();
    for (const hostile of ['a.'.repeat(50_000), `${'a'.repeat(100_000)}@`, `a@${'a-'.repeat(50_000)}`]) {
      expect(isEmail(hostile)).toBe(false);
      expect(isUsername(hostile)).toBe(false);
    }
    // Of this process, in microseconds: other programs do not matter.
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });
});
