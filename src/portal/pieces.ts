import { type Html, html } from './html.ts';

/** What is wrong with a field, as `Accounts` and the pages tell it. */
export interface Mistake {
  readonly field: string;
  readonly text: string;
}
/** A labelled input. `mistakes`: all of the form; the field finds its own. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: 'text' | 'password' | 'email' | 'date';
  readonly value?: string | undefined;
  /** A sentence that is read before the input. */
  readonly hint?: string | Html;
  readonly autocomplete?: string;
  readonly inputmode?: 'numeric' | 'text' | 'email';
  /** The label says so of what is not needed. */
  readonly optional?: boolean;
  /** One of several of which any is enough: it may stay empty, and the label says nothing of it. */
  readonly oneOf?: boolean;
  readonly maxlength?: number;
  /** In em, for what is short: a code, a date. */
  readonly short?: boolean;
  readonly autofocus?: boolean;
  readonly mistakes?: readonly Mistake[] | undefined;
}

const idOf = (name: string): string => `field-${name}`;
const mistakeOf = (name: string, mistakes: readonly Mistake[] | undefined): string | undefined => mistakes?.find(one => one.field === name)?.text;
const mistakeLine = (name: string, text: string | undefined): Html | undefined =>
  text === undefined ? undefined : html`<p class="mistake" id="${idOf(name)}-mistake"><span class="unseen">Mistake: </span>${text}</p>`;
const describedBy = (name: string, hinted: boolean, wrong: boolean): Html | false => {
  const ids = [hinted && `${idOf(name)}-hint`, wrong && `${idOf(name)}-mistake`].filter(id => id !== false);
  return ids.length > 0 && html` aria-describedby="${ids.join(' ')}"`;
};

/** A label, its hint, what is wrong with it, and an input. */
export function field(of: Field): Html {
  const wrong = mistakeOf(of.name, of.mistakes);
  const id = idOf(of.name);
  return html`<div class="field${wrong !== undefined && ' wrong'}">
<label for="${id}">${of.label}${of.optional === true && html` <span class="optional">(optional)</span>`}</label>
${of.hint !== undefined && html`<p class="hint" id="${id}-hint">${of.hint}</p>`}
${mistakeLine(of.name, wrong)}
<input id="${id}" name="${of.name}" type="${of.type ?? 'text'}"${of.short === true && html` class="short"`}${of.value !== undefined && html` value="${of.value}"`}${
    of.autocomplete !== undefined && html` autocomplete="${of.autocomplete}"`
  }${of.inputmode !== undefined && html` inputmode="${of.inputmode}"`}${of.maxlength !== undefined && html` maxlength="${of.maxlength}"`}${
    /^(username|code|email)$/.test(of.name) && html` autocapitalize="none" spellcheck="false"`
  }${of.optional !== true && of.oneOf !== true && html` required`}${wrong !== undefined && html` aria-invalid="true"`}${of.autofocus === true && html` autofocus`}${describedBy(
    of.name,
    of.hint !== undefined,
    wrong !== undefined,
  )}>
</div>`;
}

/** A box to tick. Its value is `yes` unless told; the same name may stand in several boxes, each with an `id` of its own. */
export function checkbox(of: {
  readonly name: string;
  readonly label: string | Html;
  readonly value?: string;
  readonly id?: string;
  readonly hint?: string | Html;
  readonly checked?: boolean;
  readonly required?: boolean;
  readonly mistakes?: readonly Mistake[] | undefined;
}): Html {
  const wrong = mistakeOf(of.name, of.mistakes);
  const id = of.id ?? idOf(of.name);
  const ids = [of.hint !== undefined && `${id}-hint`, wrong !== undefined && `${idOf(of.name)}-mistake`].filter(one => one !== false);
  return html`<div class="field${wrong !== undefined && ' wrong'}">
${mistakeLine(of.name, wrong)}
<div class="tick"><input type="checkbox" id="${id}" name="${of.name}" value="${of.value ?? 'yes'}"${of.checked === true && html` checked`}${
    of.required === true && html` required`
  }${wrong !== undefined && html` aria-invalid="true"`}${ids.length > 0 && html` aria-describedby="${ids.join(' ')}"`}>
<label for="${id}">${of.label}${of.hint !== undefined && html`<span class="hint" id="${id}-hint">${of.hint}</span>`}</label></div>
</div>`;
}

/** One of several, as radio buttons in a named group. */
export function radios(of: {
  readonly name: string;
  readonly legend: string;
  readonly hint?: string | Html;
  readonly options: readonly { readonly value: string; readonly label: string | Html; readonly hint?: string | Html }[];
  readonly value?: string | undefined;
  readonly mistakes?: readonly Mistake[] | undefined;
}): Html {
  const wrong = mistakeOf(of.name, of.mistakes);
  return html`<fieldset class="field${wrong !== undefined && ' wrong'}"${describedBy(of.name, of.hint !== undefined, wrong !== undefined)}>
<legend>${of.legend}</legend>
${of.hint !== undefined && html`<p class="hint" id="${idOf(of.name)}-hint">${of.hint}</p>`}
${mistakeLine(of.name, wrong)}
${of.options.map((option, at) => {
  const id = at === 0 ? idOf(of.name) : `${idOf(of.name)}-${at}`;
  return html`<div class="tick"><input type="radio" id="${id}" name="${of.name}" value="${option.value}"${option.value === of.value && html` checked`} required>
<label for="${id}">${option.label}${option.hint !== undefined && html`<span class="hint">${option.hint}</span>`}</label></div>`;
})}
</fieldset>`;
}

export const hidden = (name: string, value: string): Html => html`<input type="hidden" name="${name}" value="${value}">`;

export type ButtonKind = 'main' | 'quiet' | 'danger';
/** Sends its form; with `name` and `value` it says which of several was pressed. */
export const button = (text: string, of: { readonly kind?: ButtonKind; readonly name?: string; readonly value?: string } = {}): Html =>
  html`<button class="button ${of.kind ?? 'main'}"${of.name !== undefined && html` name="${of.name}" value="${of.value ?? 'yes'}"`}>${text}</button>`;
/** A link that looks like a button: for going somewhere, never for doing something. */
export const linkButton = (text: string, href: string, kind: ButtonKind = 'main'): Html => html`<a class="button ${kind}" href="${href}">${text}</a>`;
/** Buttons in a row, the first the main one. */
export const buttons = (...members: readonly (Html | false | undefined)[]): Html => html`<div class="buttons">${members}</div>`;

/** A form by POST. `csrf` is `asked.csrf`. */
export const form = (of: { readonly action: string; readonly csrf: Html; readonly body: Html | readonly Html[]; readonly id?: string }): Html =>
  html`<form method="post" action="${of.action}"${of.id !== undefined && html` id="${of.id}"`}>${of.csrf}${of.body}</form>`;
/** One button that does one thing. */
export const formButton = (of: {
  readonly action: string;
  readonly csrf: Html;
  readonly text: string;
  readonly kind?: ButtonKind;
  readonly values?: Readonly<Record<string, string>>;
}): Html =>
  html`<form method="post" action="${of.action}" class="single">${of.csrf}${Object.entries(of.values ?? {}).map(([name, value]) => hidden(name, value))}${button(of.text, { kind: of.kind ?? 'quiet' })}</form>`;

/** A paragraph that stands out. `good`: something has been done; `warning`: look here first; `plain`: worth knowing. */
export const notice = (kind: 'good' | 'warning' | 'plain', body: string | Html | readonly Html[]): Html =>
  html`<div class="notice ${kind}"${kind !== 'plain' && html` role="status"`}>${typeof body === 'string' ? html`<p>${body}</p>` : body}</div>`;

/** What is wrong with a form, at its top: it takes the focus and leads to the fields. A mistake of the field '' is about the whole form. */
export const mistakeSummary = (mistakes: readonly Mistake[] | undefined, heading = 'Please look at this again'): Html | undefined =>
  mistakes === undefined || mistakes.length === 0
    ? undefined
    : html`<div class="notice bad" role="alert" tabindex="-1" autofocus id="mistakes"><h2>${heading}</h2>
<ul>${mistakes.map(({ field: name, text }) => html`<li>${name === '' ? text : html`<a href="#${idOf(name)}">${text}</a>`}</li>`)}</ul></div>`;

export const list = (items: readonly (string | Html)[]): Html => html`<ul>${items.map(item => html`<li>${item}</li>`)}</ul>`;
/** Names and what they are. A value that is undefined or false leaves its row out. */
export const definitions = (rows: readonly (readonly [term: string, value: string | Html | undefined | false])[]): Html =>
  html`<dl>${rows.map(([term, value]) => value !== undefined && value !== false && html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
/** A part of a page with a frame around it. */
export const card = (heading: string | Html, body: Html | readonly (Html | false | undefined)[]): Html =>
  html`<section class="card"><h2>${heading}</h2>${body}</section>`;
/** Cards of equal rank: one line each, with what can be done on the right. */
export const rows = (
  members: readonly { readonly what: string | Html; readonly more?: string | Html | undefined; readonly action?: Html | undefined }[],
): Html =>
  html`<ul class="rows">${members.map(
    ({ what, more, action }) =>
      html`<li><div><strong>${what}</strong>${more !== undefined && html`<p class="hint">${more}</p>`}</div>${action !== undefined && html`<div>${action}</div>`}</li>`,
  )}</ul>`;
/** A small word beside a name: "ended", "proposed". */
export const tag = (text: string, kind: 'plain' | 'good' | 'warning' = 'plain'): Html => html`<span class="tag ${kind}">${text}</span>`;

/** 2 March 1947, of an instant (as it is in UTC) or a date; of a date that names no day, March 1947 or 1947. */
export function day(instant: string | number): Html {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return html`${instant}`;
  const [, month, dayOfMonth] = typeof instant === 'string' ? instant.split('-') : ['', '', ''];
  const text = date.toLocaleDateString('en-GB', {
    year: 'numeric',
    ...(month === undefined ? {} : { month: 'long' }),
    ...(dayOfMonth === undefined ? {} : { day: 'numeric' }),
    timeZone: 'UTC',
  });
  return html`<time datetime="${date.toISOString().slice(0, dayOfMonth === undefined ? (month === undefined ? 4 : 7) : 10)}">${text}</time>`;
}
