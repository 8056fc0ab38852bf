import { isInWildcard } from '../access/policies/index.ts';
import { recordKindOf } from '../access/record.ts';
import { parseScopes, type Scope, type ScopeLetter, type ScopeLevel } from '../access/scope.ts';
import { resourceTypes } from '../fhir/definitions/definitions.ts';
import type { ResourceType } from '../fhir/types.ts';
import { type Category, categoriesOf, namedTypes, others } from './words.ts';

type Act = 'see' | 'change';
const lettersOf: Readonly<Record<Act, readonly ScopeLetter[]>> = { see: ['r', 's'], change: ['c', 'u', 'd'] };

/** The smallest part of what an app asks for that a person keeps or takes away. */
export interface Part {
  /** Its name in a form. */
  readonly key: string;
  readonly level: ScopeLevel;
  /** `*`: all that a wildcard covers and people have no name for. */
  readonly type: ResourceType;
  readonly act: Act;
  readonly letters: ReadonlySet<ScopeLetter>;
  readonly category?: Category;
  /** The query of a granular scope that is no single category. */
  readonly where?: string;
}
/** What is no scope over data, by what it means to a person; `context` is no choice: it gives nothing by itself. */
export type Manner = 'identity' | 'offline' | 'online' | 'context' | 'strange';
const manners: Readonly<Record<string, Manner>> = {
  openid: 'identity',
  fhirUser: 'identity',
  profile: 'identity',
  offline_access: 'offline',
  online_access: 'online',
  launch: 'context',
};
export const mannerOf = (scope: string): Manner => (Object.hasOwn(manners, scope) ? manners[scope]! : scope.startsWith('launch/') ? 'context' : 'strange');

/** All the types that a wildcard stands for where it is taken apart: what belongs to records, and who cares for whom where. Conformance types say nothing about anybody. */
const inRecords: readonly ResourceType[] = [...resourceTypes].filter(type => ['self', 'subject', 'shared'].includes(recordKindOf(type).kind)).sort();
const unnamed = inRecords.filter(type => !namedTypes.includes(type));

/** What a person may choose between of one scope over data, and what each part would be as a scope of its own. */
interface Piece {
  readonly part: Part;
  /** The types that it stands for, each with the letters that it gives there. */
  readonly stands: readonly (readonly [type: ResourceType, letters: readonly ScopeLetter[]])[];
}

const keyOf = (level: ScopeLevel, type: ResourceType, act: Act, below = ''): string => `${level}/${type}.${act}${below}`;
const queryOf = (where: Scope['where']): string => where.map(([name, value]) => `${name}=${value}`).join('&');
/** The one category of those that can be chosen which a granular scope is about. */
const categoryIn = ({ type, where }: Scope): Category | undefined => {
  const [pair] = where;
  if (where.length !== 1 || pair?.[0] !== 'category') return undefined;
  return categoriesOf(type).find(({ system, code }) => pair[1] === `${system}|${code}`);
};

/** A scope over data → its parts, beside all that is asked for with it: what another one gives as well is not taken away by itself. */
function piecesOf(scope: Scope, beside: readonly Scope[]): readonly Piece[] {
  const { level, type, may, where } = scope;
  return (['see', 'change'] as const).flatMap(act => {
    const letters = lettersOf[act].filter(letter => may.has(letter));
    if (letters.length === 0) return [];
    const given = isGiven(scope, letters, beside);
    // Of what is seen without a query the categories are parts too; of what is changed they are not.
    const category = given && act === 'change' ? undefined : categoryIn(scope);
    if (where.length > 0 && category === undefined && !given) {
      const written = queryOf(where);
      const part = { key: keyOf(level, type, act, `?${written}`), level, type, act, letters: new Set(letters), where: written };
      return [{ part, stands: [[type, letters] as const] }];
    }
    if (category !== undefined) {
      const part = { key: keyOf(level, type, act, `|${category.code}`), level, type, act, letters: new Set(letters), category };
      return [{ part, stands: [[type, letters] as const] }];
    }
    if (type !== others) return piecesOfType(level, type, act, letters);
    const covered = (one: ResourceType): readonly ScopeLetter[] => letters.filter(letter => isCovered(level, one, letter));
    const byName = beside.map(one => one.type).filter(one => one !== others && !namedTypes.includes(one));
    const named = [...namedTypes, ...new Set(byName)].flatMap(one => (covered(one).length === 0 ? [] : piecesOfType(level, one, act, covered(one))));
    const rest = unnamed.flatMap(one => (byName.includes(one) || covered(one).length === 0 ? [] : [[one, covered(one)] as const]));
    return [...named, { part: { key: keyOf(level, others, act), level, type: others, act, letters: new Set(letters) }, stands: rest }];
  });
}
/** Whether a scope without a query gives some of it, too. */
const isGiven = ({ level, type }: Scope, letters: readonly ScopeLetter[], beside: readonly Scope[]): boolean =>
  beside.some(one => {
    if (one.level !== level || one.where.length > 0) return false;
    return letters.some(letter => one.may.has(letter) && (one.type === type || (one.type === others && isCovered(level, type, letter))));
  });
const isCovered = (level: ScopeLevel, type: ResourceType, letter: ScopeLetter): boolean => level === 'system' || isInWildcard(type, letter);

/** What is seen of some types can be chosen by category. */
function piecesOfType(level: ScopeLevel, type: ResourceType, act: Act, letters: readonly ScopeLetter[]): readonly Piece[] {
  const shared = { level, type, act, letters: new Set(letters) };
  const stands = [[type, letters] as const];
  const within = act === 'see' ? categoriesOf(type) : [];
  if (within.length === 0) return [{ part: { key: keyOf(level, type, act), ...shared }, stands }];
  return within.map(category => ({ part: { key: keyOf(level, type, act, `|${category.code}`), ...shared, category }, stands }));
}

/** The parts of everything over data that was asked for, each once, with all the letters that any scope gives it. */
export function partsOf(scopes: readonly string[]): readonly Part[] {
  const found = new Map<string, Part>();
  const { scopes: all } = parseScopes(scopes.join(' '));
  for (const scope of all) {
    for (const { part } of piecesOf(scope, all)) {
      const known = found.get(part.key);
      found.set(part.key, known === undefined ? part : { ...known, letters: new Set([...known.letters, ...part.letters]) });
    }
  }
  return [...found.values()];
}

/**
 * The scopes that result from what a person kept: never more than was asked for. One of which everything was kept stays as it was written;
 * else it becomes the list of what was kept, a wildcard by its types and a type by its categories.
 * @param chosen keys of `partsOf`, and the names of `mannersOf`
 */
export function grantedScopes(asked: readonly string[], chosen: ReadonlySet<string>): readonly string[] {
  const all = parseScopes(asked.join(' ')).scopes;
  const granted = asked.flatMap(written => {
    const { scopes, ignored } = parseScopes(written);
    // One that is not understood permits nothing.
    if (ignored.length > 0) return [];
    const [scope] = scopes;
    if (scope === undefined) return mannerOf(written) === 'context' || chosen.has(mannerKey(written)) ? [written] : [];
    const pieces = piecesOf(scope, all);
    const kept = pieces.filter(({ part }) => chosen.has(part.key));
    return pieces.length > 0 && kept.length === pieces.length ? [written] : narrowed(scope, pieces, kept, isOld(written));
  });
  return [...new Set(granted)];
}
/** The name in a form of what is no scope over data. */
export const mannerKey = (scope: string): string => {
  const manner = mannerOf(scope);
  return manner === 'strange' ? `other:${scope}` : manner;
};

const isOld = (written: string): boolean => /\.(?:read|write|\*)$/.test(written);
/** SMART v1 had words for these; an app that asked in them may not know others. */
const old: Readonly<Record<string, string>> = { rs: 'read', cud: 'write', cruds: '*' };

function narrowed({ level, where }: Scope, pieces: readonly Piece[], kept: readonly Piece[], asOld: boolean): readonly string[] {
  const whole = new Map<ResourceType, ScopeLetter[]>();
  const granular: string[] = [];
  for (const { part, stands } of kept) {
    const isSame = (piece: Piece): boolean => piece.part.type === part.type && piece.part.act === part.act;
    const all = pieces.filter(isSame).length === kept.filter(isSame).length;
    for (const [type, letters] of stands) {
      if (all) whole.set(type, [...new Set([...(whole.get(type) ?? []), ...letters])]);
      // A query and a category cannot both be said, so what has one of its own is kept whole or not at all.
      else if (where.length === 0) granular.push(`${level}/${type}.${inOrder(letters)}?category=${part.category!.system}|${part.category!.code}`);
    }
  }
  const query = where.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  const plain = [...whole].map(([type, letters]) => {
    const written = inOrder(letters);
    if (query !== '') return `${level}/${type}.${written}?${query}`;
    return `${level}/${type}.${(asOld && old[written]) || written}`;
  });
  return [...plain, ...granular];
}
const inOrder = (letters: readonly ScopeLetter[]): string => [...'cruds'].filter(letter => letters.includes(letter as ScopeLetter)).join('');
/** What would end the scope, or the value in it. */
const encode = (text: string): string => text.replace(/[^\x21-\x7e]|["%&=?#\\]/gu, sign => encodeURIComponent(sign));
