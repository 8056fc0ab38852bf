/** The small promise for what is not FHIR: keys, accounts, clients, organisations, sessions, authorizations, notes of the server. */
export interface Document {
  readonly kind: DocumentKind;
  readonly id: string;
  readonly value: unknown;
}
export type DocumentKind =
  | 'key'
  | 'organization'
  | 'account'
  | 'hat'
  /** Whose a WebAuthn credential is; under its id. */
  | 'passkey'
  | 'client'
  | 'grant'
  | 'note'
  // What lives for a while, each with the moment at which it expires:
  /** Somebody who has signed in to our pages; under a hash of the cookie. */
  | 'session'
  /** Something that is good once: an e-mail link, a challenge. */
  | 'ticket'
  /** Failures that are counted: by account, by address. */
  | 'throttle'
  /** EHR launches. */
  | 'launch'
  /** The models of the authorization server. */
  | 'interaction'
  | 'code'
  | 'refresh'
  | 'replay'
  | 'registration';

export interface DocumentReader {
  /** Also one that has expired and is not swept yet: who keeps such documents looks at the time. */
  document(kind: DocumentKind, id: string): Promise<unknown>;
  documents(kind: DocumentKind): Promise<readonly Document[]>;
}
/**
 * `value` undefined removes it. `expect: 'absent'`: it must not be there yet. `expires`: epoch ms after which it may be swept away, absent: it stays. The
 * epoch `kind:id` rises with every change, a removal too, and stays; only a sweep takes it away, with the document.
 */
export interface DocumentChange {
  readonly op: 'document';
  readonly kind: DocumentKind;
  readonly id: string;
  readonly value: unknown;
  readonly expect?: 'absent';
  readonly expires?: number;
}
