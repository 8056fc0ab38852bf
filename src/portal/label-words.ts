import { sensitivitiesOf } from '../access/codes.ts';

/** What v3-ActCode's sensitivities are about, to stand after "about". */
const sensitivities: Readonly<Record<string, string>> = {
  SPI: 'specially protected matters',
  BH: 'behavioural health',
  MH: 'mental health',
  PSY: 'psychiatry',
  PSYTHPN: 'psychotherapy notes',
  ETH: 'alcohol and drug use',
  SUD: 'alcohol and drug use',
  ETHUD: 'alcohol use',
  OPIOIDUD: 'opioid use',
  '42CFRPart2': 'treatment of addiction',
  HIV: 'HIV and AIDS',
  STD: 'sexually transmitted infections',
  SEX: 'sexual and reproductive health',
  SDV: 'sexual and domestic violence',
  DV: 'domestic violence',
  SICKLE: 'sickle cell disease',
  GDIS: 'genetic conditions',
  ADOL: 'what adolescents keep private',
  COGN: 'memory and thinking',
  DVD: 'development',
  EMOTDIS: 'emotional disorders',
  PREGNANT: 'pregnancy',
};

/** Codes → words, each thing once: what another of them implies is not told again. */
export function sensitivityWords(codes: readonly string[]): readonly string[] {
  const told = highest(codes, sensitivitiesOf).map(code => (Object.hasOwn(sensitivities, code) ? sensitivities[code]! : `“${code}”`));
  return [...new Set(told)];
}

/** Those that none of the others stands above. */
export const highest = (codes: readonly string[], withAllBelow: (codes: readonly string[]) => readonly string[]): readonly string[] =>
  codes.filter(code => !codes.some(other => other !== code && withAllBelow([other]).includes(code)));
