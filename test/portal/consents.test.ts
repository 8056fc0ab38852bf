import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { textOf, visitor, type Visitor } from './authorize-world.ts';
import { type ConsentsWorld, openConsentsWorld } from './consents-world.ts';
import { actingForMary } from './fake-world.ts';

// One story, in order: each step stands on the ones before it.
let of: ConsentsWorld;
let mary: Visitor;
let sure: Visitor;
let anna: Visitor;

beforeAll(async () => {
  of = await openConsentsWorld();
  const { pages, world } = of;
  const confirmedAt = Date.parse(world.app.now());
  mary = visitor(pages.app, pages.accounts.enter('mary'));
  sure = visitor(pages.app, pages.accounts.enter('mary', { confirmedAt }));
  anna = visitor(pages.app, pages.accounts.enter('anna', { confirmedAt, acting: actingForMary }));
});
afterAll(() => of.end());

test('who can see the record, in words', async () => {
  const text = textOf((await mary.get('/consents')).text);
  expect(text).toContain('Who can see your record');
  expect(text).toContain('Anna Reyes');
  console.log(text);
});
