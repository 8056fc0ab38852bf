import { isDate, isDateTime, isInstant, isTime } from '../datetime.ts';

/** What the value of a primitive type must be: which JSON type, which values of it, and how that is said to a client. */
export interface Primitive {
  readonly json: 'string' | 'number' | 'boolean';
  readonly article: string;
  isValid(value: never): boolean;
}

/** http://hl7.org/fhir/R4/datatypes.html#string: Unicode characters, of which JavaScript's units are the upper bound. */
const longestString = 1024 * 1024;

const isNumber = (low: number, high: number) => (value: number) => Number.isInteger(value) && value >= low && value <= high;
const matches = (pattern: RegExp) => (value: string) => pattern.test(value);
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there.
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;
/** No control characters but tab and line ends, and no half of a surrogate pair: no store and no client agrees with another on those. */
const isText = (value: string) => !control.test(value) && value.isWellFormed();
const isString = (value: string) => value.length > 0 && value.length <= longestString && isText(value);

/** The regular expression of R4 has no `/`: an error, corrected in R5. White space between the characters is allowed. */
function isBase64(value: string): boolean {
  const text = /\s/.test(value) ? value.replace(/\s+/g, '') : value;
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

const string = (article: string, isValid: (value: string) => boolean): Primitive => ({ json: 'string', article, isValid });
const number = (article: string, isValid: (value: number) => boolean): Primitive => ({ json: 'number', article, isValid });
const uri = string('a URI without white space', value => /^\S+$/.test(value) && isText(value));

/** http://hl7.org/fhir/R4/datatypes.html#primitive */
export const primitives: ReadonlyMap<string, Primitive> = new Map<string, Primitive>([
  ['string', string('text that is not empty and has no control characters', isString)],
  ['markdown', string('text that is not empty and has no control characters', isString)],
  ['xhtml', string('an XHTML `div`', value => value.length > 0 && isText(value))],
  ['code', string('a code without outer or double white space', value => isString(value) && /^\S+(?:\s\S+)*$/.test(value))],
  ['id', string('1 to 64 letters, digits, `-` and `.`', matches(/^[A-Za-z0-9\-.]{1,64}$/))],
  ['uri', uri],
  ['url', uri],
  ['canonical', uri],
  ['oid', string('an OID such as `urn:oid:1.2.3`', matches(/^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/))],
  ['uuid', string('a UUID such as `urn:uuid:…` in lower case', matches(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/))],
  ['base64Binary', string('base64', isBase64)],
  ['date', string('a real date as YYYY, YYYY-MM or YYYY-MM-DD', isDate)],
  ['dateTime', string('a real date, with a time only together with seconds and a zone', isDateTime)],
  ['instant', string('a real moment with seconds and a zone', isInstant)],
  ['time', string('a time as hh:mm:ss', isTime)],
  ['boolean', { json: 'boolean', article: '`true` or `false`', isValid: () => true }],
  ['decimal', number('a number', Number.isFinite)],
  ['integer', number('a whole number of 32 bits', isNumber(-(2 ** 31), 2 ** 31 - 1))],
  ['unsignedInt', number('a whole number from 0', isNumber(0, 2 ** 31 - 1))],
  ['positiveInt', number('a whole number from 1', isNumber(1, 2 ** 31 - 1))],
]);
