import type { Change } from '../store/store.ts';
import { type AccountParts, clock } from './parts.ts';
import { revise, spend } from './revise.ts';
import { hashOf, isSecret, newSecret } from './secrets.ts';

/** What a ticket is good for. `at`, `expires`: epoch ms. */
export type Ticket = { readonly at: number; readonly expires: number } & (
  | { readonly for: 'second-factor'; readonly account: string; readonly amr: readonly string[] }
  /** `account` absent: of whoever has a passkey. */
  | { readonly for: 'passkey'; readonly account?: string; readonly challenge: string }
  | { readonly for: 'new-passkey'; readonly account: string; readonly challenge: string; readonly user: string }
  | { readonly for: 'new-totp'; readonly account: string; readonly secret: string }
);
type Of<P extends Ticket['for']> = Extract<Ticket, { readonly for: P }>;
type Plain<T> = T extends unknown ? Omit<T, 'at' | 'expires'> : never;

/** A new ticket: its name for the browser, and the change that keeps it under a hash of it. `at`: now, where absent. */
export function newTicket(about: Plain<Ticket>, parts: AccountParts, at: number = clock(parts)): { readonly ticket: string; readonly change: Change } {
  const ticket = newSecret();
  const expires = at + parts.settings.ticket;
  return { ticket, change: { op: 'document', kind: 'ticket', id: hashOf(ticket), value: { ...about, at, expires }, expires } };
}
/** The stored value as a ticket that is still good for this. */
export function asTicket<P extends Ticket['for']>(value: unknown, purpose: P, now: number): Of<P> | undefined {
  const ticket = value as Ticket | null | undefined;
  return ticket?.for === purpose && ticket.expires > now ? (ticket as Of<P>) : undefined;
}
export async function readTicket<P extends Ticket['for']>(name: unknown, purpose: P, parts: AccountParts): Promise<Of<P> | undefined> {
  return isSecret(name) ? asTicket(await parts.store.document('ticket', hashOf(name)), purpose, clock(parts)) : undefined;
}
/** Takes the ticket: of many who try exactly one gets it. */
export async function takeTicket<P extends Ticket['for']>(name: unknown, purpose: P, parts: AccountParts): Promise<Of<P> | undefined> {
  if (!isSecret(name)) return undefined;
  const id = hashOf(name);
  return revise([['ticket', id]], parts, ([value]) => {
    const result = asTicket(value, purpose, clock(parts));
    return { changes: result === undefined ? [] : [spend('ticket', id, clock(parts))], result };
  });
}
