import type { Factor, SecondFactor } from '../account/accounts.ts';
import { type Html, html } from './html.ts';
import { button, buttons, field, hidden, type Mistake } from './pieces.ts';

/** A passkey is asked for by the one script of our pages: who asks for its challenge is named in `data-passkey`. Hidden where there is no script. */
export const passkeyForm = (of: {
  readonly action: string;
  readonly purpose: 'sign-in' | 'second-step' | 'confirm' | 'add';
  readonly csrf: Html;
  readonly text: string;
  /** The only thing that matters on the page. */
  readonly main?: boolean;
  readonly body?: Html | readonly Html[];
}): Html => html`<form method="post" action="${of.action}" data-passkey="${of.purpose}" class="passkey" hidden>
${of.csrf}${hidden('method', 'passkey')}${hidden('challenge', '')}${hidden('response', '')}${of.body}
${buttons(button(of.text, { kind: of.main === true ? 'main' : 'quiet' }))}
<p class="mistake" role="alert" data-trouble></p>
</form>`;

/** What somebody shows in a second step: a form for each thing that the account has. */
export const factorForms = (of: {
  readonly action: string;
  readonly purpose: 'second-step' | 'confirm';
  readonly methods: readonly SecondFactor[];
  readonly csrf: Html;
  /** Hidden fields that every form carries along. */
  readonly carried: readonly Html[];
  readonly mistakes?: readonly Mistake[] | undefined;
}): Html => {
  const has = (method: SecondFactor): boolean => of.methods.includes(method);
  const wrong = (name: string): boolean => of.mistakes?.some(one => one.field === name) === true;
  const codeForm = (method: 'totp' | 'recovery', input: Html): Html =>
    html`<form method="post" action="${of.action}">${of.csrf}${of.carried}${hidden('method', method)}${input}${buttons(button('Go on'))}</form>`;
  return html`${
    has('totp') &&
    codeForm(
      'totp',
      field({
        name: 'code',
        label: 'Code from your authenticator app',
        hint: 'Six digits. The app shows new ones every 30 seconds.',
        inputmode: 'numeric',
        autocomplete: 'one-time-code',
        short: true,
        autofocus: of.mistakes === undefined,
        mistakes: of.mistakes,
      }),
    )
  }
${
  has('passkey') &&
  html`${has('totp') ? html`<p class="or">or</p>` : html`<p data-passkey-missing>This needs a browser that can use passkeys, with scripts allowed.</p>`}${passkeyForm(
    {
      action: of.action,
      purpose: of.purpose,
      csrf: of.csrf,
      text: 'Use a passkey',
      main: !has('totp'),
      body: of.carried,
    },
  )}`
}
${
  has('recovery') &&
  html`<details${wrong('recovery') && html` open`}><summary>Use a recovery code instead</summary>
${codeForm(
  'recovery',
  field({
    name: 'recovery',
    label: 'Recovery code',
    hint: 'One of the codes that you wrote down. Each is good once.',
    autocomplete: 'off',
    mistakes: of.mistakes,
  }),
)}</details>`
}`;
};

/** What a form of the above shows; undefined where it shows nothing that could be one. */
export function readFactor(form: URLSearchParams): Factor | undefined {
  switch (form.get('method')) {
    case 'totp':
      return { method: 'totp', code: withoutSpace(form.get('code')) };
    case 'recovery':
      return { method: 'recovery', code: withoutSpace(form.get('recovery')) };
    default:
      return readPasskey(form);
  }
}
export function readPasskey(form: URLSearchParams): Extract<Factor, { method: 'passkey' }> | undefined {
  const ticket = form.get('challenge') ?? '';
  try {
    const response: unknown = JSON.parse(form.get('response') ?? '');
    return ticket === '' || typeof response !== 'object' || response === null ? undefined : { method: 'passkey', response, ticket };
  } catch {
    return undefined;
  }
}
/** Apps show codes in groups. */
const withoutSpace = (code: string | null): string => (code ?? '').replace(/\s+/g, '');

/** The mistake in a second step that was not right: at the field that was filled in. */
export const wrongFactor = (form: URLSearchParams): readonly Mistake[] =>
  form.get('method') === 'recovery'
    ? [{ field: 'recovery', text: 'This recovery code is not right, or has been used already.' }]
    : form.get('method') === 'totp'
      ? [{ field: 'code', text: 'This code is not right. Wait for the next one and try again.' }]
      : [{ field: '', text: 'The passkey was not accepted. Try again, or use another way.' }];
