import { Problem } from '../fhir/problem.ts';
import type { PortalParts, Route } from './route.ts';

/** What the script asks for before the browser asks for a passkey: `{ ticket, options }`. */
export const passkeyRoutes = ({ accounts }: PortalParts): readonly Route[] => [
  {
    method: 'POST',
    path: '/passkeys/challenge',
    who: 'anybody',
    async answer({ form, session }) {
      const ticket = form.get('ticket') ?? '';
      switch (form.get('purpose')) {
        case 'sign-in':
          return { json: await accounts.passkeyChallenge() };
        case 'second-step':
          return { json: await accounts.passkeyChallenge({ ticket }) };
        case 'confirm':
          if (session !== undefined) return { json: await accounts.passkeyChallenge({ account: session.account }) };
          break;
        case 'add':
          if (session !== undefined) return { json: await accounts.beginPasskey(session) };
      }
      throw new Problem('forbidden', 'there is nothing that this passkey could be for');
    },
  },
];
