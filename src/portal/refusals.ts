import { type Problem, problems } from '../fhir/problem.ts';
import { type Html, html } from './html.ts';
import { linkButton } from './pieces.ts';
import type { Asked, Reply } from './route.ts';

/** What ends a request for a page by its status, in words for people that tell nothing of the cause. */
const refusals: Readonly<Record<number, readonly [title: string, text: string]>> = {
  400: ['That did not work', 'Something in this address or form is not as it should be.'],
  401: ['Please sign in', 'This page is for people who have signed in.'],
  403: ['You may not do that', 'This is not allowed for you, or not allowed any more.'],
  404: ['Nothing is here', 'This page does not exist, or it is not for you to see.'],
  405: ['That did not work', 'This address cannot be used in this way.'],
  409: ['Something changed meanwhile', 'Somebody else, or you in another window, has just changed this. Please look at it again.'],
  410: ['Nothing is here any more', 'This has been deleted.'],
  412: ['Something changed meanwhile', 'Somebody else, or you in another window, has just changed this. Please look at it again.'],
  413: ['That is too much', 'What was sent is larger than we take.'],
  415: ['That did not work', 'What was sent is not a form of ours.'],
  429: ['Please wait a little', 'This has been tried too often.'],
  500: ['Something went wrong here', 'It is our mistake, not yours, and it has been noted. Please try again in a while.'],
  503: ['We are busy', 'Please try again in a moment.'],
};

type Page = Extract<Reply, { readonly title: string }>;
const refusalPage = (status: number, title: string, text: string | Html): Page => ({
  status,
  title,
  body: html`<h1>${title}</h1><p>${text}</p><p>${linkButton('Go to the start', '/', 'quiet')}</p>`,
});

/** The page for what ended a request. */
export function refusal(problem: Problem): Page {
  const { status } = problems[problem.code];
  const [title, text] = refusals[status] ?? refusals[status < 500 ? 400 : 500]!;
  return refusalPage(status, title, text);
}
/** A form that was not made for this browser, or no longer is: it has done nothing. */
export const staleForm: Page = refusalPage(
  403,
  'This form is out of date',
  'Nothing has been changed. It may have been open for long, or you have signed in or out meanwhile. Please open the page again.',
);
/** 429, with the seconds to wait. */
export function tooMany({ response }: Pick<Asked, 'response'>, retryAfter: number): Page {
  const seconds = Math.max(1, Math.ceil(retryAfter));
  response.setHeader('Retry-After', String(seconds));
  const wait = seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
  return refusalPage(429, refusals[429]![0], `${refusals[429]![1]} Please try again in ${wait}.`);
}
