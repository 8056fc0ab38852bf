import type { Choice } from '../account/accounts.ts';
import { possessive } from './words.ts';

/** A choice as a form carries it. */
export const choiceKey = ({ hat, record }: Choice): string => `${hat} ${record ?? ''}`;

/** What each choice is called. */
export const choiceText = ({ kind, name }: Choice): { readonly label: string; readonly hint: string } =>
  kind === 'patient'
    ? { label: 'Your own record', hint: name }
    : kind === 'caregiver'
      ? { label: `${possessive(name)} record`, hint: 'You help to look after it' }
      : { label: name, hint: 'You work there' };

/** Whose record it is, to stand before a noun. */
export const whoseOf = ({ kind, name }: Choice): string => (kind === 'patient' ? 'your' : kind === 'caregiver' ? possessive(name) : 'the patient’s');

/** A caregiver whom no consent in force lets see anything. */
export const notStanding = 'At present no consent lets you see anything there.';
