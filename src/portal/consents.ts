import type { Caller } from '../access/caller.ts';
import { kindOf } from '../access/consent.ts';
import { elements, referenceName } from '../access/elements.ts';
import type { Choice } from '../account/accounts.ts';
import { isConfirmed } from '../account/session.ts';
import { Problem } from '../fhir/problem.ts';
import type { KeyName, Resource } from '../fhir/types.ts';
import { handOf } from '../interaction/app-consent.ts';
import { confirmFirst } from './confirm.ts';
import { consentPage, endPage, type Shown } from './consent-view.ts';
import { wordsOf } from './consent-words.ts';
import { consentsPage, nothingPage, type SaidBy } from './consents-view.ts';
import { ownPath, withQuery } from './own-path.ts';
import { actingAs, getOf, matchesOf, personOf, resourceOf, taken } from './person.ts';
import type { AskedBySomebody, PortalParts, Reply, Route } from './route.ts';
import { type Named, readPreview, readWhoCanSee } from './who-can-see.ts';

/** Who can see a record; what waits for the patient's word; and the end of any of it. */
export const consentRoutes = (parts: PortalParts): readonly Route[] => [
  {
    method: 'GET',
    path: '/consents',
    who: 'somebody',
    answer: async asked => withRecord(asked, parts, (choice, person) => orNothing(choice, () => overview(asked, choice, person, parts))),
  },
  {
    method: 'GET',
    path: '/consents/:id',
    who: 'somebody',
    answer: async asked =>
      withRecord(asked, parts, async (choice, person) => {
        const shown = await shownOf(asked, choice, person, parts);
        return consentPage(shown, isConfirmed(asked.session, true, parts.now()), asked);
      }),
  },
  {
    method: 'POST',
    path: '/consents/:id',
    who: 'somebody',
    answer: async asked => withRecord(asked, parts, (choice, person) => answerProposal(asked, choice, person, parts)),
  },
  {
    method: 'GET',
    path: '/consents/:id/end',
    who: 'somebody',
    answer: async asked =>
      withRecord(asked, parts, async (choice, person) => {
        const shown = await shownOf(asked, choice, person, parts);
        if (!shown.mayEnd) throw new Problem('forbidden', 'the person cannot end it here');
        const first = shown.widens ? confirmFirst(asked, parts.now(), `/consents/${shown.id}/end`) : undefined;
        if (first !== undefined) return first;
        return endPage(shown, asked);
      }),
  },
  {
    method: 'POST',
    path: '/consents/:id/end',
    who: 'somebody',
    answer: async asked => withRecord(asked, parts, (choice, person) => end(asked, choice, person, parts)),
  },
];

type Working = (choice: Choice, person: Caller) => Promise<Reply>;
/** Whoever has not chosen a record chooses one first. */
async function withRecord(asked: AskedBySomebody, parts: PortalParts, work: Working): Promise<Reply> {
  const choice = await actingAs(asked, parts);
  if (choice === undefined) return { redirect: withQuery('/records', { to: ownPath(asked.request.url?.split('?')[0]) }) };
  return (await taken(choice, asked, parts)) ?? work(choice, personOf(asked, choice));
}

/** Whom no consent lets see anything of the record is refused whatever he asks, and told why. */
async function orNothing(choice: Choice, work: () => Promise<Reply>): Promise<Reply> {
  try {
    return await work();
  } catch (error) {
    if (choice.kind === 'caregiver' && error instanceof Problem && error.code === 'forbidden') return nothingPage(choice);
    throw error;
  }
}

async function overview(asked: AskedBySomebody, choice: Choice, person: Caller, { run }: PortalParts): Promise<Reply> {
  const id = choice.record!.split('/')[1]!;
  const who = readWhoCanSee(resourceOf(await run(getOf(['Patient', id, '$who-can-see']), person)), knownTo(choice));
  const consents = matchesOf(
    await run(
      getOf(
        ['Consent'],
        [
          ['patient', id],
          ['status', 'active,proposed'],
          ['_count', '200'],
        ],
      ),
      person,
    ),
  );
  const names = namesIn([...who.consents, ...who.proposed].flatMap(({ actors }) => actors).concat(who.organizations));
  const said: SaidBy = new Map(consents.map(consent => [consent.id ?? '', wordsOf(consent, names)]));
  return consentsPage(who, said, choice, asked);
}
/** Nobody is told his own name, and a caregiver knows for whom she cares. */
const knownTo = ({ hat, record, name }: Choice): ReadonlyMap<KeyName, string> =>
  new Map([...(record === undefined ? [] : [[record, name] as const]), [hat, 'you'] as const]);
const namesIn = (named: readonly Named[]): ((key: KeyName) => string | undefined) => {
  const known = new Map(named.flatMap(({ key, name }) => (key === undefined || name === undefined ? [] : [[key, name] as const])));
  return key => known.get(key);
};

/** One Consent about the record, with all that its page tells. */
async function shownOf({ params, account }: AskedBySomebody, choice: Choice, person: Caller, parts: PortalParts): Promise<Shown> {
  const { run, authorizations, now } = parts;
  const id = params.id ?? '';
  const consent = resourceOf(await run(getOf(['Consent', id]), person));
  if (referenceName(consent.patient) !== choice.record) throw new Problem('not-found', 'it is about another record');
  const kind = kindOf(consent) ?? '';
  const who = readWhoCanSee(resourceOf(await run(getOf(['Patient', choice.record!.split('/')[1]!, '$who-can-see']), person)), knownTo(choice));
  const standing = [...who.proposed, ...who.consents].find(one => one.id === id);
  const app = who.apps.find(one => one.id === id);
  const waits = consent.status === 'proposed';
  const grant = kind === 'app' ? (await authorizations.granted(account)).find(one => one.consent === `Consent/${id}`) : undefined;
  const isPatient = choice.kind === 'patient';
  return {
    id,
    version: consent.meta?.versionId ?? '',
    kind,
    choice,
    consent,
    waits,
    actors: standing?.actors ?? [],
    ...(app === undefined ? {} : { app }),
    said: wordsOf(consent, namesIn(standing?.actors ?? [])),
    previews: waits || (kind !== 'app' && consent.status === 'active') ? readPreview(resourceOf(await run(getOf(['Consent', id, '$preview']), person))) : [],
    mayGrant: isPatient && waits,
    mayEnd: isPatient && consent.status === 'active' && kind !== 'guardian',
    widens: kind === 'restriction',
    over: isOver(consent, now()),
    ...(grant === undefined ? {} : { grant: grant.id }),
  };
}
const isOver = ({ status, provision }: Resource, now: number): boolean => {
  const [period] = elements(elements(provision)[0]?.period);
  const end = typeof period?.end === 'string' ? Date.parse(period.end) : Number.NaN;
  return (status !== 'active' && status !== 'proposed') || (Number.isFinite(end) && end + 86_400_000 < now);
};

/** The patient gives what was proposed, in the version that was seen; or turns it down. */
async function answerProposal(asked: AskedBySomebody, choice: Choice, person: Caller, parts: PortalParts): Promise<Reply> {
  const { form, params } = asked;
  const id = params.id ?? '';
  const version = form.get('version') ?? '';
  if (choice.kind !== 'patient') throw new Problem('forbidden', 'only the patient grants');
  if (form.get('decision') === 'reject') {
    await put(id, version, 'rejected', person, person, parts);
    return { redirect: '/consents?rejected' };
  }
  if (form.get('decision') !== 'give') throw new Problem('invalid', 'the form names no decision');
  const first = confirmFirst(asked, parts.now(), `/consents/${id}`);
  if (first !== undefined) return first;
  await parts.activate(id, version, handFor(asked, choice));
  return { redirect: '/consents?given' };
}

async function end(asked: AskedBySomebody, choice: Choice, person: Caller, parts: PortalParts): Promise<Reply> {
  const { form, account, from } = asked;
  const shown = await shownOf(asked, choice, person, parts);
  if (!shown.mayEnd) throw new Problem('forbidden', 'the person cannot end it here');
  const first = shown.widens ? confirmFirst(asked, parts.now(), `/consents/${shown.id}/end`) : undefined;
  if (first !== undefined) return first;
  if (shown.grant !== undefined) await parts.authorizations.end(shown.grant, account, from);
  // No request of a client ends a restriction or an app: these pages do, for the patient.
  else
    await put(
      shown.id,
      form.get('version') ?? '',
      'inactive',
      person,
      shown.kind === 'restriction' || shown.kind === 'app' ? handFor(asked, choice) : person,
      parts,
    );
  return { redirect: '/consents?ended' };
}

const handFor = ({ account, from }: AskedBySomebody, { hat, record }: Choice): Caller =>
  handOf({ account: account.username, who: hat, record: record!, address: from.address });

/** The Consent as the person reads it, with another status, over the version that was seen. */
async function put(id: string, version: string, status: string, person: Caller, by: Caller, { run }: PortalParts): Promise<void> {
  const consent = resourceOf(await run(getOf(['Consent', id]), person));
  if (consent.meta?.versionId !== version || (referenceName(consent.patient) ?? '') !== person.record)
    throw new Problem('version-changed', 'the Consent is not the one that was seen');
  await run({ method: 'PUT', path: ['Consent', id], query: [], headers: { 'if-match': `W/"${version}"` }, body: { ...consent, status } }, by);
}
