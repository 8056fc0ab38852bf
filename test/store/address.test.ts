import { describe, expect, test } from '@jest/globals';
import { parseAddress, shownAddress, withoutCredentials } from '../../src/store/address.ts';

test.each([
  ['sqlite:./a.db', { engine: 'sqlite', path: './a.db' }],
  ['sqlite::memory:', { engine: 'sqlite', path: ':memory:' }],
  ['mongodb://h/db', { engine: 'mongodb', url: 'mongodb://h/db' }],
  ['mongodb+srv://h/db', { engine: 'mongodb', url: 'mongodb+srv://h/db' }],
  ['sqlite:', undefined],
  ['mongodb:///db', undefined],
  ['postgres://h/db', undefined],
])('%s', (text, expected) => {
  expect(parseAddress(text)).toEqual(expected);
});

describe('nobody sees a name or a password', () => {
  test.each(['secret', 'se/cret', 'se@cret', 'se?cret', 'se:c#ret'])('with the password %s', password => {
    expect(shownAddress(`mongodb://bob:${password}@h:1,i:2/db?replicaSet=r`)).toBe('mongodb://h:1,i:2/db');
    expect(withoutCredentials(`cannot reach "mongodb://bob:${password}@h:1/db" now`)).toBe('cannot reach "mongodb://h:1/db" now');
  });
  test('and what has none is shown as it is', () => {
    expect(shownAddress('mongodb://h/db?a=b')).toBe('mongodb://h/db');
    expect(shownAddress('sqlite:./data/kindred.db')).toBe('sqlite:./data/kindred.db');
  });
});
