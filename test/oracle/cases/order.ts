import { type Case, type SortedBy, search } from '../case.ts';
import type { Data, Json } from '../data.ts';
import { patient } from '../extra.ts';
import { both, code, date, either, every, type Match, quantity, refers, starts, there, via } from '../match.ts';
import { at, codesAt, folded, momentsIn, partOf, textsAt } from '../walk.ts';

/** Of several values the first in the order that is asked for. */
const best = <T extends string | number>(values: readonly T[], down: boolean): T | undefined =>
  [...values].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0)).at(down ? -1 : 0);
const by = (values: (resource: Json, down: boolean, data: Data) => readonly (string | number)[]): { readonly up: SortedBy; readonly down: SortedBy } => ({
  up: { of: (resource, data) => best(values(resource, false, data), false) },
  down: { of: (resource, data) => best(values(resource, true, data), true), down: true },
});
const text = (...paths: readonly string[]) => by(resource => textsAt(resource, paths).map(folded));
const codes = (path: string) => by(resource => codesAt(resource, path).flatMap(each => each.code ?? []));
const when = (...paths: readonly string[]) =>
  by((resource, down) => paths.flatMap(path => at(resource, path).flatMap(momentsIn)).map(({ low, high }) => (down ? high : low)));
const amount = (path: string) =>
  by(resource => at(resource, path).flatMap(each => (partOf(each).comparator === undefined ? [Number(partOf(each).value)] : [])));
const id = by(resource => [resource.id]);
/** The order in which they were given to the server. */
const given = by((resource, _, data) => [data.turns.get(resource)!]);

const [family, first, birth, gender, died] = [text('name.family'), text('name.given'), when('birthDate'), codes('gender'), when('deceasedDateTime')];
const value = amount('valueQuantity');
const mine = refers('subject', `Patient/${patient}`);
const [cholesterol, emergency, cholesterolMine] = [code('code', '2093-3'), code('class', 'EMER'), both(code('code', '2093-3'), mine)];

/** http://hl7.org/fhir/R4/search.html#sort: what has no value comes last, whichever way. */
export const sorts: readonly Case[] = [
  search('Patient?_sort=birthdate', every, { sorted: [birth.up] }),
  search('Patient?_sort=-birthdate', every, { sorted: [birth.down] }),
  search('Patient?_sort=family', every, { sorted: [family.up] }),
  search('Patient?_sort=-family', every, { sorted: [family.down] }),
  search('Patient?_sort=given,-birthdate', every, { sorted: [first.up, birth.down] }),
  search('Patient?_sort=gender,family,-_id', every, { sorted: [gender.up, family.up, id.down] }),
  search('Patient?_sort=-gender,birthdate&birthdate=ge1990', date('birthDate', 'ge1990'), { sorted: [gender.down, birth.up] }),
  search('Patient?_sort=death-date', every, { sorted: [died.up] }),
  search('Patient?_sort=-death-date,_id', every, { sorted: [died.down, id.up] }),
  search('Patient?_sort=_id', every, { sorted: [id.up] }),
  search('Patient?_sort=_lastUpdated', every, { sorted: [given.up] }),
  search('Patient?_sort=-_lastUpdated,family', every, { sorted: [given.down, family.up] }),
  search('Observation?code=2093-3&_sort=value-quantity', cholesterol, { sorted: [value.up] }),
  search('Observation?code=2093-3&_sort=-value-quantity,date', cholesterol, { sorted: [value.down, when('effectiveDateTime').up] }),
  search(`Observation?code=2093-3&patient=${patient}&_sort=-date`, cholesterolMine, { sorted: [when('effectiveDateTime').down] }),
  search(`Observation?patient=${patient}&_sort=value-quantity,code,_id`, mine, { sorted: [value.up, codes('code').up, id.up] }),
  search(`Observation?patient=${patient}&_sort=category,-code`, mine, { sorted: [codes('category').up, codes('code').down] }),
  search('Encounter?class=EMER&_sort=-date', emergency, { sorted: [when('period').down] }),
  search('Encounter?class=EMER&_sort=status,date', emergency, { sorted: [codes('status').up, when('period').up] }),
  search('Condition?code=233604007,59621000&_sort=code,-onset-date', either(code('code', '233604007'), code('code', '59621000')), {
    sorted: [codes('code').up, when('onsetDateTime').down],
  }),
  search('Condition?code=59621000&_sort=-abatement-date,onset-date', code('code', '59621000'), {
    sorted: [when('abatementDateTime').down, when('onsetDateTime').up],
  }),
  search('Condition?subject:Patient.family=ank&_sort=onset-date', via('subject', starts('name.family', 'ank')), { sorted: [when('onsetDateTime').up] }),
  search('Observation?code=2093-3&value-quantity=gt230&_sort=date', both(cholesterol, quantity('valueQuantity', 'gt230')), {
    sorted: [when('effectiveDateTime').up],
  }),
  search('Organization?_sort=name', every, { sorted: [text('name').up] }),
  search('Location?_sort=-address-city,name', every, { sorted: [text('address.city').down, text('name').up] }),
  search('ValueSet?_sort=-url', every, { sorted: [by(resource => textsAt(resource, ['url'])).down] }),
  search('RiskAssessment?_sort=-probability', every, { sorted: [by(resource => at(resource, 'prediction.probabilityDecimal').map(Number)).down] }),
];

const late = (resource: Json, data: Data): boolean => data.turns.get(resource) === data.lastTurn;
/** `{between}`: after the files of Synthea were given and before the others were. */
export const updated: readonly Case[] = [
  search('Patient?_lastUpdated=gt{between}', late),
  search(
    'Patient?_lastUpdated=le{between}&gender=male',
    both((resource, data) => !late(resource, data), code('gender', 'male')),
  ),
  search('Observation?_lastUpdated=sa{between}&value-quantity:missing=false', both(late, there('valueQuantity'))),
  search('Patient?_lastUpdated=ge2000&_lastUpdated=lt2001', () => false, { nothing: true }),
  search(
    '?_type=List,RiskAssessment,Organization&_lastUpdated=ge{between}',
    both(
      late,
      either(
        ...['List', 'RiskAssessment'].map(
          (type): Match =>
            each =>
              each.resourceType === type,
        ),
      ),
    ),
  ),
];
