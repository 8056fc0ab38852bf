import type { Accounts } from './accounts.ts';
import { choicesOf } from './choices.ts';
import * as credentials from './credentials.ts';
import { findAccount } from './names.ts';
import type { AccountParts } from './parts.ts';
import { challengePasskey, confirmSession, signInByPasskey, signInBySecondFactor } from './second-factor.ts';
import { actAs, readSession } from './sessions.ts';
import { signInByPassword } from './sign-in.ts';
import { signOut, signOutEverywhere } from './sign-out.ts';
import { signUp } from './sign-up.ts';

/** Accounts on a store. */
export function makeAccounts(parts: AccountParts): Accounts {
  return {
    find: username => findAccount(username, parts.store),
    signUp: (form, from) => signUp(form, from, parts),
    signIn: (username, password, from) => signInByPassword(username, password, from, parts),
    secondFactor: (ticket, factor, from) => signInBySecondFactor(ticket, factor, from, parts),
    passkeySignIn: (factor, from) => signInByPasskey(factor, from, parts),
    passkeyChallenge: (of = {}) => challengePasskey(of, parts),
    confirm: (session, factor, from) => confirmSession(session, factor, from, parts),
    session: cookie => readSession(cookie, parts),
    act: (session, hat, record) => actAs(session, hat, record, parts),
    choices: account => choicesOf(account, parts),
    signOut: (session, from) => signOut(session, from, parts),
    signOutEverywhere: (session, from) => signOutEverywhere(session, from, parts),
    beginTotp: session => credentials.beginTotp(session, parts),
    addTotp: (session, ticket, code, from) => credentials.addTotp(session, ticket, code, from, parts),
    removeTotp: (session, from) => credentials.removeTotp(session, from, parts),
    beginPasskey: session => credentials.beginPasskey(session, parts),
    addPasskey: (session, ticket, name, response, from) => credentials.addPasskey(session, ticket, name, response, from, parts),
    removePasskey: (session, id, from) => credentials.removePasskey(session, id, from, parts),
    newRecoveryCodes: (session, from) => credentials.renewRecoveryCodes(session, from, parts),
    changePassword: (session, old, fresh, from) => credentials.changePassword(session, old, fresh, from, parts),
  };
}
