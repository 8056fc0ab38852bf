import { all } from '../../search/query.ts';
import type { Finding, Rule } from '../decision.ts';
import { isUnbound } from './level.ts';

/** The person's authorization of the app must still stand: ending it ends every token that came from it, at once. */
export const appRule: Rule = {
  id: 'app',
  judge({ caller }, { grantEpoch }): Finding | undefined {
    if (isUnbound(caller)) return undefined;
    const sources = [`grant:${caller.grant}`];
    if (grantEpoch !== caller.grantEpoch)
      return { effect: 'deny', because: 'the authorization that the token came from has been withdrawn', sources, plain: true };
    return { effect: 'permit', only: all, because: 'the authorization of the app stands', sources };
  },
};
