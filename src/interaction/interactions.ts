import { criteriaQuery } from '../search/criteria.ts';
import { capabilities } from './capabilities.ts';
import { create, type ReadCriteria } from './create.ts';
import { makeSeal } from './cursor.ts';
import { remove } from './delete.ts';
import { history } from './history.ts';
import type { Answer, Interaction, WriteInteraction } from './interaction.ts';
import type { Parts } from './parts.ts';
import { preview } from './preview.ts';
import { printBody } from './print.ts';
import { read, vread } from './read.ts';
import { search } from './search.ts';
import type { Code } from './table.ts';
import { transaction } from './transaction.ts';
import { update } from './update.ts';
import { contributorsOf, whoCanSee } from './who-can-see.ts';

/** What each code of the table does. A batch is made of the others (bundle.ts). */
export interface Interactions {
  readonly table: Readonly<Record<Exclude<Code, 'batch' | 'capabilities' | 'reindex'>, Interaction>>;
  readonly transaction: WriteInteraction;
  /** Public, and about no resource: it takes no decision. */
  capabilities(): Answer;
}

/** `secret`: what cursors are sealed with. `secured`: callers need tokens. */
export function makeInteractions(parts: Parts, secret: Uint8Array, authority: string | undefined): Interactions {
  const { registry, base } = parts;
  const since = parts.now();
  const answering = { registry, base, seal: makeSeal(secret) };
  const stated = once(of => capabilities(registry, of, since, authority));
  const readCriteria: ReadCriteria = (type, text) => criteriaQuery(type, text, { registry, base: base(), now: Date.parse(parts.now()) });
  return {
    table: {
      'search-type': search('search-type', answering) as Interaction,
      'search-system': search('search-system', answering) as Interaction,
      create: create(readCriteria, base) as Interaction,
      read: read as Interaction,
      vread: vread as Interaction,
      update: update(base) as Interaction,
      delete: remove as Interaction,
      'history-instance': history(base) as Interaction,
      'who-can-see': whoCanSee(registry, record => contributorsOf(record, parts.store)) as Interaction,
      preview: preview(parts) as Interaction,
    },
    capabilities: () => stated(base()),
    transaction: transaction(readCriteria, base) as WriteInteraction,
  };
}

/** Made once for an address: anybody may ask for it, and it is large. */
function once(make: (base: string) => Answer): (base: string) => Answer {
  let known: { readonly base: string; readonly answer: Answer } | undefined;
  return base => {
    if (known?.base !== base) {
      const answer = make(base);
      known = { base, answer: answer.body === undefined ? answer : { ...answer, body: { raw: printBody(answer.body) } } };
    }
    return known.answer;
  };
}
