import { html } from './html.ts';
import { list } from './pieces.ts';
import type { Reply } from './route.ts';

/** What somebody agrees to who makes an account. A change of the text is a new version of the terms that accounts have accepted. */
export const termsPage: Reply = {
  title: 'Terms',
  body: html`<div class="text"><h1>Terms</h1>
<p>These are the rules for using Kindred. They are short on purpose.</p>
<h2>Your record</h2>
<p>An account here has a health record: yours. You decide who sees it. What your practice writes stays as the practice wrote it; if something in it is wrong, ask the
practice to correct it.</p>
<h2>Who can see it</h2>
<p>Nobody sees your record but you, those who wrote in it (each only what they wrote), and those whom a consent names. Your consents are all listed under “Who can see”. You can end one at any
time, and it counts at once.</p>
<h2>What is noted</h2>
<p>Every look at your record and every change is noted: who, when, and with whose consent. You can read these notes. They are kept even when an entry is deleted.</p>
<h2>What we ask of you</h2>
${list([
  'You are 18 or older.',
  'The account is for you alone. Do not share your password; to let somebody help you, give them a consent of their own.',
  'What you write in a record is true as far as you know.',
  'Where you act for somebody else, you do so in their interest and as far as they have agreed.',
])}
<h2>What Kindred is not</h2>
<p>Nobody watches your record around the clock. In an emergency call your local emergency number.</p>
<h2>Leaving</h2>
<p>You can stop using Kindred at any time. What practices have written is kept for as long as the law asks of them.</p></div>`,
};
