import type { ResourceKey } from '../fhir/types.ts';
import { readIfMatch } from './body.ts';
import type { WriteInteraction, WritePlan } from './interaction.ts';
import { versionHeaders } from './read.ts';

interface DeletePlan extends WritePlan {
  readonly key: ResourceKey;
  readonly ifMatch: string | undefined;
}

/** http://hl7.org/fhir/R4/http.html#delete */
export const remove: WriteInteraction<DeletePlan> = {
  code: 'delete',
  effect: 'write',
  plan({ path: [type = '', id = ''], headers }) {
    return { keys: [{ type, id }], criteria: new Map(), key: { type, id }, ifMatch: readIfMatch(headers['if-match']) };
  },
  drafts({ key, ifMatch }) {
    return [{ op: 'delete', key, ...(ifMatch === undefined ? {} : { ifMatch }) }];
  },
  answer(_plan, [made]) {
    return { status: 204, headers: { ETag: versionHeaders(made!).ETag! }, shows: [] };
  },
};
