import { html } from './html.ts';
import { page } from './page.ts';

export { pageHeaders } from './reply.ts';

/** A page for what went wrong before anybody was asked anything: the request of an app, mostly. */
export const errorPage = (title: string, text: string): string =>
  page({
    title,
    path: '/auth',
    body: html`<h1>${title}</h1><p>${text}</p><p>Go back to the app and try again. If it happens again, tell the maker of the app.</p>`,
  });
