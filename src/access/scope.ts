import { hasRecordKind } from './record.ts';

export type ScopeLevel = 'patient' | 'user' | 'system';
/** create, read, update, delete, search: SMART v2's letters. */
export type ScopeLetter = 'c' | 'r' | 'u' | 'd' | 's';

/** One SMART scope over FHIR data. */
export interface Scope {
  readonly level: ScopeLevel;
  /** A resource type or '*'. */
  readonly type: string;
  readonly may: ReadonlySet<ScopeLetter>;
  /** Granular `?param=value` pairs, decoded. */
  readonly where: readonly (readonly [string, string])[];
}
export interface ParsedScopes {
  readonly scopes: readonly Scope[];
  /** Scopes over FHIR data that were not understood, as written: they permit nothing. `openid` and the like are not among them. */
  readonly ignored: readonly string[];
}

const prefix = 'http://smarthealthit.org/fhir/scopes/';
const dataScope = /^(patient|user|system)\/(.*)$/;
const grammar = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]+)\.(?:(read|write|\*)|(?=[cruds])(c?r?u?d?s?)(?:\?(.+))?)$/;
const v1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/**
 * The `scope` of a request or token (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html).
 * A scope that is understood in part only is dropped whole: it must never permit more than its author meant.
 */
export function parseScopes(text: string): ParsedScopes {
  const scopes: Scope[] = [];
  const ignored: string[] = [];
  for (const written of text.split(/\s+/).filter(word => word !== '')) {
    const word = written.startsWith(prefix) ? written.slice(prefix.length) : written;
    if (!dataScope.test(word)) continue;
    const scope = parseScope(word);
    if (scope === undefined) ignored.push(written);
    else scopes.push(scope);
  }
  return { scopes, ignored };
}

function parseScope(word: string): Scope | undefined {
  const match = grammar.exec(word);
  if (match === null) return undefined;
  const [, level, type, old, letters, query] = match;
  if (type !== '*' && !hasRecordKind(type!)) return undefined;
  const where = query === undefined ? [] : parseWhere(query);
  if (where === undefined) return undefined;
  return { level: level as ScopeLevel, type: type!, may: new Set((old === undefined ? letters! : v1[old]!) as Iterable<ScopeLetter>), where };
}

// Names only: a modifier (`code:in`), a chain (`subject.name`) or a result parameter (`_count`) is not understood here.
const paramName = /^(?:[a-z][A-Za-z0-9-]*|_id|_lastUpdated|_profile|_security|_source|_tag)$/;

function parseWhere(query: string): readonly (readonly [string, string])[] | undefined {
  const pairs: (readonly [string, string])[] = [];
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    if (equals < 0) return undefined;
    const name = decode(part.slice(0, equals));
    const value = decode(part.slice(equals + 1));
    if (name === undefined || value === undefined || value === '' || !paramName.test(name)) return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a broken escape
  }
}
