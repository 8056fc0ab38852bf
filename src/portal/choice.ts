import type { Choice } from '../account/accounts.ts';
import { possessive } from './words.ts';

/** A choice as a form carries it. */
export const choiceKey = ({ hat, record }: Choice): string => `${hat} ${record ?? ''}`;

/** A caregiver may not be allowed to know the patient's name: then what stands in its place is no name, and reads otherwise. */
const isUnnamed = ({ name }: Choice): boolean => name.startsWith('Somebody ');
/** The patient, in the middle of a sentence. */
export const patientOf = (choice: Choice): string => (isUnnamed(choice) ? `s${choice.name.slice(1)}` : choice.name);

/** What each choice is called. */
export const choiceText = (choice: Choice): { readonly label: string; readonly hint: string } =>
  choice.kind === 'patient'
    ? { label: 'Your own record', hint: choice.name }
    : choice.kind === 'caregiver'
      ? { label: isUnnamed(choice) ? `Record of ${patientOf(choice)}` : `${possessive(choice.name)} record`, hint: 'You help to look after it' }
      : { label: choice.name, hint: 'You work there' };

/** Whose record it is, to stand before a noun. */
export const whoseOf = (choice: Choice): string =>
  choice.kind === 'patient' ? 'your' : choice.kind === 'practitioner' ? 'the patient’s' : isUnnamed(choice) ? 'their' : possessive(choice.name);

/** A caregiver whom no consent in force lets see anything. */
export const notStanding = 'At present no consent lets you see anything there.';
