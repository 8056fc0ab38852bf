import { isInWildcard } from '../access/policies/index.ts';
import type { ScopeLevel } from '../access/scope.ts';
import { type Manner, mannerKey, mannerOf, type Part, partsOf } from './scopes.ts';
import { actOf, capital, categoriesOf, isOwned, listed, namedTypes, nounOf, others, rankOf } from './words.ts';

/** Whose record it is: in "See your medications". */
export interface Whose {
  /** "your", "Mary Reyes’s". */
  readonly possessive: string;
}

/** One box that a person ticks. */
export interface Box {
  readonly key: string;
  readonly text: string;
}
/** The boxes of one type of entry. */
export interface BoxGroup {
  readonly heading: string;
  readonly boxes: readonly Box[];
  /** What a person should know before taking one away. */
  readonly hint?: string;
}

const patients = 'of patients whom you may see';
/** A query as people can read it, at a pinch. */
const inWords = (query: string): string => query.replaceAll('=', ' ').replaceAll('&', ' and ');
const isPlain = (part: Part): boolean => part.category === undefined && part.where === undefined;

/** A part in a few words, below a heading that names the type: "See", "See laboratory results", "Add and change". */
function boxOf(part: Part): Box {
  const act = actOf(part.letters);
  if (part.category !== undefined) return { key: part.key, text: `${act} ${part.category.noun}` };
  return { key: part.key, text: part.where === undefined ? act : `${act} those with ${inWords(part.where)}` };
}

/** Categories are all that can be said of a part: what is in none is seen only with all of them. */
const onlyTicked = 'If you untick one, only the kinds that stay ticked are seen';

/** The parts by type, in the order of their names on our pages. */
export function groupsOf(parts: readonly Part[]): readonly BoxGroup[] {
  return byType(parts).map(members => {
    const [{ level, type }] = members as [Part];
    return {
      heading: capital(level === 'user' ? `${nounOf(type)} ${patients}` : nounOf(type)),
      boxes: members.map(boxOf),
      ...(members.filter(part => part.category !== undefined).length > 1 ? { hint: onlyTicked } : {}),
    };
  });
}

/** What is no scope over data, in words; the context of a launch says nothing to people. */
const mannerWords: Readonly<Record<Exclude<Manner, 'context' | 'strange'>, readonly [title: string, hint: string]>> = {
  identity: ['Know who you are', 'Your user name here and the name on the record that you act with'],
  offline: ['Stay connected while you are away', 'It can use what you allow here without you, until you disconnect it'],
  online: ['Stay connected while you are signed in', 'It can use what you allow until you sign out here'],
};
export interface MannerBox extends Box {
  readonly hint: string;
}
export function mannerBoxes(scopes: readonly string[]): readonly MannerBox[] {
  const boxes = scopes.flatMap((scope): readonly MannerBox[] => {
    const manner = mannerOf(scope);
    if (scope.includes('/') || manner === 'context') return [];
    const key = mannerKey(scope);
    if (manner === 'strange') return [{ key, text: `Use “${scope}”`, hint: 'Kindred has no words for this' }];
    return [{ key, text: mannerWords[manner][0], hint: mannerWords[manner][1] }];
  });
  return [...new Map(boxes.map(box => [box.key, box])).values()];
}

/** One sentence, apart where a page sets much of it as a list: "See your", its nouns, "of patients whom you may see". */
export interface Telling {
  readonly lead: string;
  readonly nouns: readonly string[];
  readonly tail?: string;
}
export const sentenceOf = ({ lead, nouns, tail }: Telling): string => `${lead} ${listed(nouns)}${tail === undefined ? '' : ` ${tail}`}`;

/** Scopes → sentences for a list: "See and change your medications and allergies". The widest first; what is not over data last. */
export const sentencesOf = (scopes: readonly string[], whose: Whose): readonly string[] => [
  ...tellingsOf(scopes, whose).map(sentenceOf),
  ...mannerBoxes(scopes).map(({ text }) => text),
];

/** Scopes over data → what a page tells of them. */
export function tellingsOf(scopes: readonly string[], { possessive }: Whose): readonly Telling[] {
  const parts = partsOf(scopes);
  const wild = parts.filter(isRest);
  const isWithin = (part: Part): boolean =>
    wild.some(
      one => one.level === part.level && one.act === part.act && [...part.letters].every(letter => one.letters.has(letter) && isInWildcard(part.type, letter)),
    );
  const rest = parts.filter(part => !isRest(part) && !isWithin(part));
  const rare = rest.filter(part => !namedTypes.includes(part.type));
  // As a wildcard that was taken apart has dozens of them.
  const isMuch = new Set(rare.map(({ type }) => type)).size > 3;
  const told: readonly Told[] = [
    ...byType(isMuch ? rest.filter(part => !rare.includes(part)) : rest).flatMap(tell),
    ...(isMuch ? byLevel(rare).map(members => ({ ...actOn(members), noun: 'other, less usual entries' })) : []),
  ];
  const of = (level: ScopeLevel): { readonly tail?: string } => (level === 'user' ? { tail: patients } : {});
  return [
    ...byLevel(wild).map(members => {
      const { act, level } = actOn(members);
      return { lead: `${act} everything in`, nouns: [level === 'user' ? 'the records' : `${possessive} record`], ...of(level) };
    }),
    ...[...Map.groupBy(told, ({ act, level, owned }) => `${level} ${act} ${owned}`).values()].map(members => {
      const [{ act, level, owned }] = members as [Told];
      const nouns = [...new Set(members.map(({ noun }) => noun))];
      return { lead: level !== 'user' && owned ? `${act} ${possessive}` : act, nouns, ...of(level) };
    }),
  ];
}
interface Told {
  readonly act: string;
  readonly level: ScopeLevel;
  readonly owned: boolean;
  readonly noun: string;
}
const actOn = (parts: readonly Part[]): Omit<Told, 'noun'> => ({
  act: actOf(new Set(parts.flatMap(part => [...part.letters]))),
  level: parts[0]!.level,
  owned: isOwned(parts[0]!.type),
});
const isRest = (part: Part): boolean => part.type === others && part.where === undefined;
const byLevel = (parts: readonly Part[]): readonly (readonly Part[])[] => [...Map.groupBy(parts, ({ level }) => level).values()];

/** Those of one type together, in the order of their names on our pages. */
const byType = (parts: readonly Part[]): readonly (readonly Part[])[] =>
  [...Map.groupBy(parts, ({ level, type }) => `${level}/${type}`).values()].toSorted(([one], [other]) => rankOf(one!.type) - rankOf(other!.type));

/** The parts of one type: what is whole, the categories that are not all there, and each query by itself. */
function tell(parts: readonly Part[]): readonly Told[] {
  const { type } = parts[0]!;
  const some = parts.filter(part => part.category !== undefined);
  const isAll = categoriesOf(type).every(({ code }) => some.some(part => part.act === 'see' && part.category?.code === code));
  const whole = parts.filter(part => isPlain(part) || (part.category !== undefined && isAll));
  return [
    ...(whole.length === 0 ? [] : [{ ...actOn(whole), noun: nounOf(type) }]),
    ...(isAll ? [] : some.map(part => ({ ...actOn([part]), noun: part.category!.noun }))),
    ...parts.flatMap(part => (part.where === undefined ? [] : [{ ...actOn([part]), noun: `${nounOf(type)} with ${inWords(part.where)}` }])),
  ];
}
