import { type Case, search } from '../case.ts';
import { loinc, own, patient, ucum } from '../extra.ts';
import { both, code, date, either, ids, type Match, no, number, quantity, refers, there, together } from '../match.ts';
import { at, partOf } from '../walk.ts';

const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const;
const ours = code('code', undefined, own);
const effective = ['effectiveDateTime', 'effectivePeriod'];
const mine = refers('subject', `Patient/${patient}`);

/** http://hl7.org/fhir/R4/search.html#date: all prefixes against a year, a month, a day and a minute, over dates, instants and periods of every precision. */
export const dates: readonly Case[] = [
  ...['2018', '2018-07', '2018-07-01', '2018-07-01T10:30Z'].flatMap(moment =>
    prefixes.map(prefix => search(`Observation?code=${own}|&date=${prefix}${moment}`, both(ours, date(effective, `${prefix}${moment}`)))),
  ),
  ...prefixes.map(prefix => search(`Encounter?class=IMP&date=${prefix}2012-06`, both(code('class', 'IMP'), date('period', `${prefix}2012-06`)))),
  search('Observation?code=8331-1&date=2020-08', both(code('code', '8331-1'), date('effectiveDateTime', '2020-08'))),
  search('Observation?date=2018-07-01T12:30:15.250%2B02:00', date(effective, '2018-07-01T12:30:15.250+02:00')),
  search('Observation?date=2018-07-01T12:30:15%2B02:00', date(effective, '2018-07-01T12:30:15+02:00')),
  search('Observation?date=2018-07-01T10:30:15Z', date(effective, '2018-07-01T10:30:15Z')),
  search('Patient?birthdate=1990', date('birthDate', '1990')),
  search('Patient?birthdate=1990-02', date('birthDate', '1990-02')),
  search('Patient?birthdate=1990-02-03', date('birthDate', '1990-02-03'), { nothing: true }),
  search('Patient?birthdate=1986-04-13', date('birthDate', '1986-04-13')),
  search('Patient?birthdate=ge1990-02-03', date('birthDate', 'ge1990-02-03')),
  search('Patient?birthdate=lt1950,ge2015', either(date('birthDate', 'lt1950'), date('birthDate', 'ge2015'))),
  search('Patient?birthdate=ge1960&birthdate=lt1970', both(date('birthDate', 'ge1960'), date('birthDate', 'lt1970'))),
  search('Patient?birthdate=ne1990', date('birthDate', 'ne1990')),
  search('Patient?birthdate=ap1980', date('birthDate', 'ap1980')),
  search('Patient?birthdate:missing=true', no(there('birthDate'))),
  search('Patient?death-date=ge2019', date('deceasedDateTime', 'ge2019')),
  search('Procedure?date=ge2021-05&code=430193006', both(date('performedPeriod', 'ge2021-05'), code('code', '430193006'))),
  search('Procedure?date=2021-03-10', date('performedPeriod', '2021-03-10')),
  search('Procedure?date=sa2021-06-01T12:00Z', date('performedPeriod', 'sa2021-06-01T12:00Z')),
  search('CarePlan?date=2019', date('period', '2019')),
  search('CarePlan?date=sa2021-02', date('period', 'sa2021-02')),
  search('CarePlan?date=eb1980', date('period', 'eb1980')),
  search('CarePlan?date=gt2021-06', date('period', 'gt2021-06')),
  search('CareTeam?date=le1970', date('period', 'le1970')),
  search('Condition?onset-date=2020-03&abatement-date=ge2020-04', both(date('onsetDateTime', '2020-03'), date('abatementDateTime', 'ge2020-04'))),
  search('Condition?recorded-date=1999-12-31,2000-01', either(date('recordedDate', '1999-12-31'), date('recordedDate', '2000-01'))),
  search('MedicationRequest?authoredon=ge2021-06&status=active', both(date('authoredOn', 'ge2021-06'), code('status', 'active'))),
  search('Immunization?date=lt1960', date('occurrenceDateTime', 'lt1960')),
  search('DocumentReference?period=2021-06', date('context.period', '2021-06')),
  search('Claim?created=eb1960', date('created', 'eb1960')),
  search('Observation?value-date=2018-06', date(['valueDateTime', 'valuePeriod'], '2018-06')),
  search('Observation?value-date=ap2018-06-20', date(['valueDateTime', 'valuePeriod'], 'ap2018-06-20')),
  search('ImagingStudy?started=2013-07-06T21:56Z', date('started', '2013-07-06T21:56Z')),
];

const amount = ['valueQuantity', 'component.valueQuantity'];
const value = 'valueQuantity';
const of = (loincCode: string, text: string): Case =>
  search(`Observation?code=${loincCode}&value-quantity=${text}`, both(code('code', loincCode), quantity(value, decodeURIComponent(text))));
/** http://hl7.org/fhir/R4/search.html#quantity and #number */
export const quantities: readonly Case[] = [
  ...prefixes.map(prefix => of('2093-3', `${prefix}200`)),
  ...prefixes.map(prefix => of('4548-4', `${prefix}6.0`)),
  ...prefixes.map(prefix => search(`Observation?code=${own}|&value-quantity=${prefix}5|${ucum}|cm`, both(ours, quantity(value, `${prefix}5|${ucum}|cm`)))),
  of('2093-3', `gt2.3|${ucum}|g/L`),
  of('2093-3', `lt1.55|${ucum}|g/L`),
  of('2093-3', `180|${ucum}|mg/dL`),
  of('2093-3', `gt240||mg/dL`),
  search(`Observation?code=2093-3&value-quantity=gt240||g/L`, () => false, { nothing: true }),
  search(`Observation?code=2093-3&value-quantity=gt1|${ucum}|kg`, () => false, { nothing: true }),
  search(`Observation?code=2093-3&value-quantity=gt1|http://example.org/units|mg/dL`, () => false, { nothing: true }),
  of('8310-5', `gt39.5|${ucum}|Cel`),
  of('8310-5', `gt312|${ucum}|K`),
  of('2947-0', `ge0.1435|${ucum}|mol/L`),
  of('8867-4', `lt3660|${ucum}|/h`),
  of('29463-7', `ge115|${ucum}|kg`),
  of('29463-7', `ge253.53|${ucum}|[lb_av]`),
  of('29463-7', `lt4000|${ucum}|g`),
  of('8302-2', `ge1.87|${ucum}|m`),
  of('8302-2', '170.0'),
  of('2708-6', `lt0.8|${ucum}|1`),
  of('72514-3', '0'),
  of('72514-3', 'gt9'),
  of('72514-3', `ge1|${ucum}|{score}`),
  search('Observation?code=4548-4&value-quantity=6.0,3.9', both(code('code', '4548-4'), either(quantity(value, '6.0'), quantity(value, '3.9')))),
  search(`Observation?code=${own}|&value-quantity=70500|${ucum}|g`, both(ours, quantity(value, `70500|${ucum}|g`))),
  search(`Observation?code=${own}|&value-quantity=70.5|${ucum}|kg`, both(ours, quantity(value, `70.5|${ucum}|kg`))),
  search(`Observation?code=${own}|&value-quantity=70.4,70.3|${ucum}|kg`, both(ours, either(quantity(value, '70.4'), quantity(value, `70.3|${ucum}|kg`)))),
  search('Observation?value-quantity=12|http://example.org/units|gtt', quantity(value, '12|http://example.org/units|gtt')),
  search('Observation?value-quantity=12||gtt', quantity(value, '12||gtt')),
  search('Observation?value-quantity=12||Drops', quantity(value, '12||Drops')),
  search(`Observation?code=${own}|&value-quantity=7`, both(ours, quantity(value, '7'))),
  search(`Observation?code=${own}|&value-quantity=7e0`, both(ours, quantity(value, '7.0'))),
  search(`Observation?code=${own}|&value-quantity:missing=true`, both(ours, no(there(value)))),
  search(`Observation?patient=${patient}&value-quantity:missing=true`, both(mine, no(there(value)))),
  search(`Observation?combo-value-quantity=gt190|${ucum}|mm[Hg]`, quantity(amount, `gt190|${ucum}|mm[Hg]`)),
  search(`Observation?component-value-quantity=ge25|${ucum}|kPa`, quantity('component.valueQuantity', `ge25|${ucum}|kPa`)),
  search(`Observation?component-value-quantity=lt0.9|${ucum}|m&code=${own}|body`, () => false, { nothing: true }),
  search(
    'Observation?code=85354-9&combo-value-quantity=ne120&date=2021-06',
    both(code('code', '85354-9'), quantity(amount, 'ne120'), date('effectiveDateTime', '2021-06')),
  ),
  search(`Encounter?length=gt1|${ucum}|h`, quantity('length', `gt1|${ucum}|h`)),
  search(`Encounter?length=90|${ucum}|min`, quantity('length', `90|${ucum}|min`)),
  search(`Encounter?length=7200|${ucum}|s`, quantity('length', `7200|${ucum}|s`)),
  ...prefixes.map(prefix => search(`RiskAssessment?probability=${prefix}0.5`, number('prediction.probabilityDecimal', `${prefix}0.5`))),
  search('RiskAssessment?probability=0.50', number('prediction.probabilityDecimal', '0.50')),
  search(
    'RiskAssessment?probability=gt0.2&probability=lt0.5',
    both(number('prediction.probabilityDecimal', 'gt0.2'), number('prediction.probabilityDecimal', 'lt0.5')),
  ),
];

const pair = (code_: string, text: string, system?: string): readonly Match[] => [code('code', code_, system), quantity('valueQuantity', text)];
/** http://hl7.org/fhir/R4/search.html#composite */
export const composites: readonly Case[] = [
  search('Observation?code-value-quantity=2093-3$gt235', both(...pair('2093-3', 'gt235'))),
  search(`Observation?code-value-quantity=${loinc}|2093-3$lt1.55|${ucum}|g/L`, both(...pair('2093-3', `lt1.55|${ucum}|g/L`, loinc))),
  search(`Observation?code-value-quantity=${loinc}|4548-4$6.0,${loinc}|2093-3$185`, either(both(...pair('4548-4', '6.0')), both(...pair('2093-3', '185')))),
  search('Observation?code-value-quantity=2093-3$ge230&date=ge2019', both(...pair('2093-3', 'ge230'), date('effectiveDateTime', 'ge2019'))),
  search('Observation?component-code-value-quantity=8480-6$gt185', together('component', ...pair('8480-6', 'gt185'))),
  search(
    `Observation?component-code-value-quantity=${loinc}|8462-4$le65|${ucum}|mm[Hg]`,
    together('component', ...pair('8462-4', `le65|${ucum}|mm[Hg]`, loinc)),
  ),
  search(
    `Observation?component-code-value-quantity=8480-6$gt130&component-code-value-quantity=8462-4$lt80`,
    both(together('component', ...pair('8480-6', 'gt130')), together('component', ...pair('8462-4', 'lt80'))),
  ),
  search(`Observation?component-code-value-quantity=${own}|girth$80`, () => false, { nothing: true }),
  search(`Observation?component-code-value-quantity=${own}|mass$80`, ids('oracle-pair')),
  search(
    `Observation?combo-code-value-quantity=${own}|mass$ge70`,
    either(both(...pair('mass', 'ge70', own)), together('component', ...pair('mass', 'ge70', own))),
  ),
  search(`Observation?combo-code-value-quantity=${own}|body$80`, () => false, { nothing: true }),
  search(`Observation?combo-code-value-concept=${own}|mood$${own}|good`, ids('oracle-pair')),
  search('Observation?code-value-concept=72166-2$8517006', both(code('code', '72166-2'), code('valueCodeableConcept', '8517006'))),
  search(`Observation?code-value-date=${own}|mood$le2018-06-30`, both(code('code', 'mood', own), date(['valueDateTime', 'valuePeriod'], 'le2018-06-30'))),
];

const far = (latitude: number, longitude: number, kilometres: number): Match => {
  const angle = (degrees: number): number => (degrees * Math.PI) / 180;
  return resource =>
    at(resource, 'position').some(position => {
      const { latitude: north, longitude: east } = partOf(position) as { latitude: number; longitude: number };
      const half = Math.sin(angle(north - latitude) / 2) ** 2 + Math.cos(angle(latitude)) * Math.cos(angle(north)) * Math.sin(angle(east - longitude) / 2) ** 2;
      return 2 * 6371.0088 * Math.asin(Math.sqrt(half)) <= kilometres;
    });
};
/** http://hl7.org/fhir/R4/location.html#positional */
export const places: readonly Case[] = [
  search('Location?near=42.3755|-71.1187|3|km', far(42.3755, -71.1187, 3)),
  search('Location?near=42.3755|-71.1187|2000|m', far(42.3755, -71.1187, 2)),
  search('Location?near=42.1|-72.6|25|km', far(42.1, -72.6, 25)),
  search(
    'Location?near=42.1|-72.6|10|[mi_i]&address-city=springfield,holyoke',
    both(
      far(42.1, -72.6, 16.09344),
      either(
        ...['SPRINGFIELD', 'HOLYOKE'].map(
          (city): Match =>
            resource =>
              at(resource, 'address.city').includes(city),
        ),
      ),
    ),
  ),
  search('Location?near=0|0|10|km', far(0, 0, 10), { nothing: true }),
];
