import type { Account } from '../account/account.ts';
import { type Html, html } from './html.ts';

/** The places that a person goes to, in the order of the header. A place is where one is on every path below it. */
const places: readonly (readonly [path: string, text: string])[] = [
  ['/records', 'Records'],
  ['/apps', 'Apps'],
  ['/consents', 'Who can see'],
  ['/account', 'Account'],
];

/** What stands around the body of a page. */
export interface Frame {
  readonly title: string;
  readonly body: Html;
  /** The path that was asked for. */
  readonly path: string;
  /** Who has signed in. */
  readonly account?: Account | undefined;
  /** The name of the patient for whom the person acts as somebody else. */
  readonly actingFor?: string | undefined;
  readonly csrf?: Html | undefined;
}

/** A whole page. Everything that it loads is ours; it works without its script. */
export const page = ({ title, body, path, account, actingFor, csrf }: Frame): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – Kindred</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
<script src="/passkey.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the page</a>
<header class="top">
<div class="wide bar">
<a class="mark" href="/">Kindred</a>
${
  account !== undefined &&
  html`<nav aria-label="Kindred"><ul class="places">${places.map(
    ([place, text]) => html`<li><a href="${place}"${(path === place || path.startsWith(`${place}/`)) && html` aria-current="page"`}>${text}</a></li>`,
  )}</ul></nav>
<div class="who"><span><span class="wordy">Signed in as </span><strong>${account.name ?? account.username}</strong></span>
<form method="post" action="/sign-out">${csrf}<button class="button quiet small">Sign out</button></form></div>`
}
</div>
</header>
${
  actingFor !== undefined &&
  html`<aside class="acting" aria-label="For whom you act"><div class="wide banner"><p>You are acting for <strong>${actingFor}</strong>.</p>
<a href="/records">Switch</a></div></aside>`
}
<main id="main" tabindex="-1">
${body}
</main>
<footer><div class="wide foot"><p>Kindred keeps a health record, and lets its owner decide who sees it.</p><p><a href="/terms">Terms</a></p></div></footer>
</body>
</html>
`.html;
