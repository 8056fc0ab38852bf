/** The code systems that permissions are written in, and what their codes imply. */
import { labelSystems } from '../search/security.ts';

const terminology = 'http://terminology.hl7.org/CodeSystem';
export const systems = {
  scope: `${terminology}/consentscope`,
  action: `${terminology}/consentaction`,
  purpose: `${terminology}/v3-ActReason`,
  ...labelSystems,
  types: 'http://hl7.org/fhir/resource-types',
} as const;

type Tree = Readonly<Record<string, readonly string[]>>;

/** v3-ActReason: each code with those right below it. */
const purposes: Tree = {
  PATRQT: ['FAMRQT', 'PWATRNY', 'SUPNWK'],
  TREAT: ['CLINTRL', 'COC', 'ETREAT', 'POPHLTH'],
  ETREAT: ['BTG', 'ERTREAT'],
  HPAYMT: ['CLMATTCH', 'COVAUTH', 'COVERAGE', 'REMITADV'],
  COVERAGE: ['ELIGDTRM', 'ELIGVER', 'ENROLLM', 'MILDCRG'],
  HOPERAT: [
    ...['CAREMGT', 'DONAT', 'FRAUD', 'GOV', 'HACCRED', 'HCOMPL', 'HDECD', 'HDIRECT', 'HDM', 'HLEGAL', 'HOUTCOMS', 'HPRGRP', 'HQUALIMP'],
    ...['HSYSADMIN', 'MEMADMIN', 'MILCDM', 'PATADMIN', 'PATSFTY', 'PERFMSR', 'RECORDMGT', 'SYSDEV', 'TRAIN'],
  ],
  HSYSADMIN: ['LABELING', 'METAMGT'],
  SYSDEV: ['HTEST'],
  HRESCH: ['BIORCH', 'CLINTRCH', 'DSRCH', 'POARCH', 'TRANSRCH'],
  CLINTRCH: ['CLINTRCHNPC', 'CLINTRCHPC', 'PRECLINTRCH'],
  PUBHLTH: ['DISASTER', 'THREAT'],
};

/**
 * v3-ActCode sensitivities. Alcohol and opioid use disorders stand under ETH (IHE PCF) and under SUD (the R4 code system): both cover them.
 */
const sensitivities: Tree = {
  SPI: ['BH', 'MH', 'PSY', 'PSYTHPN', 'SUD'],
  BH: ['COGN', 'DVD', 'EMOTDIS', 'MH', 'PSY', 'PSYTHPN', 'SUD'],
  SUD: ['ETHUD', 'OPIOIDUD'],
  ETH: ['ETHUD', 'OPIOIDUD'],
};

/** Sensitivities that only a permit naming them covers. */
export const namedOnly: readonly string[] = ['PSYTHPN', '42CFRPart2'];

function withAllBelow(tree: Tree, codes: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const visit = (code: string): void => {
    if (found.has(code)) return;
    found.add(code);
    for (const below of tree[code] ?? []) visit(below);
  };
  codes.forEach(visit);
  return [...found];
}

/** These purposes and all that they imply. */
export const purposesOf = (codes: readonly string[]): readonly string[] => withAllBelow(purposes, codes);
/** These sensitivities and all below them. */
export const sensitivitiesOf = (codes: readonly string[]): readonly string[] => withAllBelow(sensitivities, codes);
/** What a permit that lists these covers: all below, but the named-only ones only where they are listed themselves. */
export const permittedSensitivities = (codes: readonly string[]): readonly string[] =>
  sensitivitiesOf(codes).filter(code => !namedOnly.includes(code) || codes.includes(code));
/** Without those that another of them implies. */
export const lowestSensitivities = (codes: readonly string[]): readonly string[] =>
  codes.filter(code => !codes.some(other => other !== code && sensitivitiesOf([code]).includes(other)));
