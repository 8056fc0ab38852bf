import { Problem } from '../fhir/problem.ts';
import type { Resource, ResourceKey } from '../fhir/types.ts';
import { isId, readBody, readIfMatch } from './body.ts';
import { writeAnswer } from './create.ts';
import type { WriteInteraction, WritePlan } from './interaction.ts';

interface UpdatePlan extends WritePlan {
  readonly key: ResourceKey;
  readonly resource: Resource;
  readonly ifMatch: string | undefined;
}

/** http://hl7.org/fhir/R4/http.html#update – with client-assigned ids (#upsert) for those who may. */
export const update = (base: () => string): WriteInteraction<UpdatePlan> => ({
  code: 'update',
  effect: 'write',
  plan({ path: [type = '', id = ''], body, headers }) {
    if (!isId(id)) throw new Problem('value', `\`${id.slice(0, 80)}\` is no id: 1 to 64 letters, digits, dots and dashes`);
    const resource = readBody(body, type);
    if (resource.id !== id) throw new Problem('invalid', `the id in the body must be \`${id}\`, as in the address`, { expression: `${type}.id` });
    return { keys: [{ type, id }], criteria: new Map(), key: { type, id }, resource, ifMatch: readIfMatch(headers['if-match']) };
  },
  drafts({ key, resource, ifMatch }, current) {
    return [
      { op: 'put', action: current(key) === undefined ? 'create' : 'update', key, resource, chosen: true, ...(ifMatch === undefined ? {} : { ifMatch }) },
    ];
  },
  answer(_plan, [made], [draft], [readable]) {
    return writeAnswer(made!, draft?.op === 'put' && draft.action === 'create' ? 201 : 200, readable === true, base());
  },
});
