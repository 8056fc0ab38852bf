import type { ResourceType } from '../../fhir/types.ts';
import type { IndexValue, Kind } from '../../search/query.ts';
import { clamp } from '../ranges.ts';
import { partColumns, partTexts } from './composite.ts';
import type { Value } from './driver.ts';
import { digestOf } from './words.ts';

interface Table {
  readonly name: string;
  /** Between the parameter and the resource. */
  readonly columns: readonly string[];
  /** The index of a resource's rows, where SQLite would rather seek the values. */
  readonly byResource?: string;
}
/** The index table of each kind of parameter. */
export const tables: Readonly<Record<Kind, Table>> = {
  token: { name: 'tok', columns: ['code', 'sys'] },
  string: { name: 'str', columns: ['text', 'exact'], byResource: 'str_rid' },
  date: { name: 'dat', columns: ['low', 'high'], byResource: 'dat_rid' },
  reference: { name: 'ref', columns: ['target'] },
  uri: { name: 'uri', columns: ['uri'] },
  quantity: { name: 'num', columns: ['unit', 'low', 'high'], byResource: 'num_rid' },
  composite: { name: 'com', columns: partColumns, byResource: 'com_rid' },
  position: { name: 'pos', columns: ['x', 'y', 'z'] },
  words: { name: 'wrd', columns: ['digest'] },
};

/** The integers that stand for names: made if need be, or only looked up, and then -1 where there are none. */
export interface Numbers {
  param(type: ResourceType, code: string): number;
  system(uri: string): number;
  target(type: ResourceType, id: string): number;
}

/** The columns of a value, in the order of its table. */
export function columnsOf(value: IndexValue, { system, target }: Pick<Numbers, 'system' | 'target'>): readonly Value[] {
  switch (value.kind) {
    case 'token':
      return [value.code, system(value.system)];
    case 'string':
      return [value.text, value.exact];
    case 'date':
      return [clamp(value.low), clamp(value.high)];
    case 'reference':
      return [target(value.type, value.id)];
    case 'uri':
      return [system(value.uri)];
    case 'quantity':
      return [system(value.unit), value.low, value.high];
    case 'composite':
      return partTexts(value, system);
    case 'position':
      return [value.x, value.y, value.z];
    case 'words':
      return [digestOf(value.words)];
  }
}
