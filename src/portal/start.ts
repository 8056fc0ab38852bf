import type { PortalParts, Route } from './route.ts';
import { termsPage } from './terms.ts';

export const startRoutes = (_parts: PortalParts): readonly Route[] => [
  { method: 'GET', path: '/', who: 'anybody', answer: async ({ account }) => ({ redirect: account === undefined ? '/sign-in' : '/records' }) },
  { method: 'GET', path: '/terms', who: 'anybody', answer: async () => termsPage },
];
