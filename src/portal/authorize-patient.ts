import type { Asking } from '../auth/authorization.ts';
import type { Step } from './authorize-steps.ts';
import { addressOf, birthText, denyForm, pageOf } from './authorize-view.ts';
import { type Html, html } from './html.ts';
import { type Found, MOST, nameOf, type Sought } from './patients.ts';
import { button, buttons, definitions, field, form, hidden, type Mistake, mistakeSummary, notice, radios } from './pieces.ts';
import type { Asked, Reply } from './route.ts';

type Page = Extract<Reply, { readonly title: string }>;

/** What was typed, and what came of it. */
export interface Looking {
  readonly sought: Sought;
  readonly mistakes?: readonly Mistake[];
  readonly found?: Found;
}
/** Nothing that anybody is called by is longer. */
const LONGEST = 200;

/** The fields of the form as they were typed; and what is wrong with them. */
export function readSought(form: URLSearchParams): { readonly sought: Sought; readonly mistakes: readonly Mistake[] } {
  const text = (name: string): string => (form.get(name) ?? '').trim().slice(0, LONGEST);
  const sought = { name: text('name'), birthdate: text('birthdate'), number: text('number') };
  const { birthdate } = sought;
  const isDate = /^\d{4}(-\d\d){0,2}$/.test(birthdate) && !Number.isNaN(Date.parse(birthdate));
  return {
    sought,
    mistakes: [
      ...(Object.values(sought).every(one => one === '') ? [{ field: 'name', text: 'Type a name, a date of birth or a number.' }] : []),
      ...(birthdate === '' || isDate ? [] : [{ field: 'birthdate', text: 'Type the date as year, month and day, such as 1947-03-02.' }]),
    ],
  };
}

/** A practitioner says whom an app that was opened by itself is about (SMART App Launch 2.2, context-standalone-patient). */
export function patientPage(
  asking: Asking,
  { choice, others, missing }: Extract<Step, { readonly step: 'patient' }>,
  asked: Asked,
  { sought, mistakes, found }: Partial<Looking> = {},
): Page {
  const title = 'Choose a patient';
  const isWrong = mistakes !== undefined;
  return pageOf(
    asking,
    isWrong ? `Mistake: ${title}` : title,
    [
      html`<h1>${title}</h1>`,
      mistakeSummary(mistakes),
      missing === true && notice('warning', 'That is none of the patients whom you may see. Please choose again.'),
      html`<p><strong>${asking.client.client_name}</strong> wants to use the record of one patient. What exactly, you decide on the next page.</p>`,
      definitions([['You work for', html`${choice.name}${others && html` (<a href="${addressOf(asking, { choose: '' })}">choose another</a>)`}`]]),
      found && foundForm(asking, asked, found),
      html`<h2>${found === undefined ? 'Find the patient' : 'Look for another'}</h2>`,
      form({
        action: addressOf(asking),
        csrf: asked.csrf,
        body: [
          hidden('step', 'find'),
          html`<p>One of these is enough. Only patients whom you may see are found.</p>`,
          field({
            name: 'name',
            label: 'Name',
            hint: 'Given or family name, or how they begin',
            value: sought?.name,
            autocomplete: 'off',
            oneOf: true,
            maxlength: LONGEST,
            mistakes,
          }),
          field({ name: 'birthdate', label: 'Date of birth', type: 'date', value: sought?.birthdate, autocomplete: 'off', oneOf: true, short: true, mistakes }),
          field({
            name: 'number',
            label: 'Record number',
            hint: 'All of it, as the practice writes it',
            value: sought?.number,
            autocomplete: 'off',
            oneOf: true,
            maxlength: LONGEST,
            mistakes,
          }),
          buttons(button('Search', { kind: found !== undefined && found.patients.length > 0 ? 'quiet' : 'main' })),
        ],
      }),
      denyForm(asking, asked),
    ],
    isWrong ? 422 : missing === true ? 404 : 200,
  );
}

function foundForm(asking: Asking, asked: Asked, { patients, more }: Found): Html {
  if (patients.length === 0) return notice('plain', 'Nobody whom you may see fits all of that.');
  return form({
    action: addressOf(asking),
    csrf: asked.csrf,
    body: [
      hidden('step', 'patient'),
      more ? notice('plain', `More than ${MOST} patients fit. These are the first; type more to find the right one.`) : html``,
      radios({
        name: 'patient',
        legend: patients.length === 1 ? 'One patient fits' : more ? `The first ${MOST}` : `${patients.length} patients fit`,
        options: patients.map(patient => {
          const hint = birthText(patient);
          return { value: patient.id ?? '', label: nameOf(patient), ...(hint === undefined ? {} : { hint }) };
        }),
      }),
      buttons(button('Continue')),
    ],
  });
}
