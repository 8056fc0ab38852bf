import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../access/caller.ts';
import type { Account } from '../account/account.ts';
import type { Accounts, From } from '../account/accounts.ts';
import type { Session } from '../account/session.ts';
import type { Authorizations } from '../auth/authorization.ts';
import type { Problem } from '../fhir/problem.ts';
import type { Answer, FhirRequest } from '../interaction/interaction.ts';
import type { Html } from './html.ts';

/** What the pages stand on. */
export interface PortalParts {
  /** Public URL, without a slash at the end. */
  readonly url: string;
  readonly accounts: Accounts;
  readonly authorizations: Authorizations;
  /** Who asks, by address: proxies are looked through. */
  addressOf(message: IncomingMessage): string;
  /** Whether people may sign up by themselves. */
  readonly signUp: boolean;
  /** Epoch ms. */
  now(): number;
  /** The one road, for a person who reads or ends something in a page. */
  run(request: FhirRequest, caller: Caller): Promise<Answer>;
  /** The person brings the version of a Consent that was seen into force. */
  activate(id: string, version: string, person: Caller): Promise<Answer>;
  /** A line for the operator; `what` is the path of the route, without what stands for a name in it. */
  log(entry: { readonly status: number; readonly method: string; readonly what: string; readonly ms: number; readonly problem?: Problem }): void;
}

/** One request for a page. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly from: From;
  /** Of `:name` in the route's path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Of a POST; its CSRF token has been checked. */
  readonly form: URLSearchParams;
  readonly session?: Session;
  readonly account?: Account;
  /** A hidden field for every form. */
  readonly csrf: Html;
}
/** Somebody who has signed in. */
export type AskedBySomebody = Asked & { readonly session: Session; readonly account: Account };

export type Reply =
  | {
      readonly title: string;
      readonly body: Html;
      readonly status?: number /** Beside the page, such as the origin of an app that a form leads to. */;
      readonly formTargets?: readonly string[];
    }
  /** 303. `cookie`: the session that has begun; null: it has ended. */
  | { readonly redirect: string; readonly cookie?: string | null }
  | { readonly json: unknown; readonly status?: number; readonly cookie?: string | null }
  /** The response has been sent. */
  | 'sent';

/** A page: one line in the table of its file, and nothing elsewhere. */
export type Route =
  | { readonly method: 'GET' | 'POST'; readonly path: string; readonly who: 'anybody'; answer(asked: Asked): Promise<Reply> }
  /** Whoever has not signed in is led to the sign-in page, and back. */
  | { readonly method: 'GET' | 'POST'; readonly path: string; readonly who: 'somebody'; answer(asked: AskedBySomebody): Promise<Reply> };
