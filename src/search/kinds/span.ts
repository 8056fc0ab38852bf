import type { Range } from '../../fhir/types.ts';
import type { Prefix } from '../query.ts';

/** R4's meaning of the prefixes, over spans, to the letter (http://hl7.org/fhir/R4/search.html#prefix). */
export function passesSpan(atom: Range & { readonly how: Prefix }, value: Range): boolean {
  const within = atom.low <= value.low && value.high <= atom.high;
  switch (atom.how) {
    case 'eq':
      return within;
    case 'ne':
      return !within;
    case 'gt':
      return value.high > atom.high;
    case 'lt':
      return value.low < atom.low;
    case 'ge':
      return value.high > atom.high || within;
    case 'le':
      return value.low < atom.low || within;
    case 'sa':
      return value.low > atom.high;
    case 'eb':
      return value.high < atom.low;
    case 'ap':
      return value.low <= atom.high && atom.low <= value.high;
  }
}
