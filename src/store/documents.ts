/** The small promise for what is not FHIR: keys, accounts, clients, organisations, OAuth grants, notes of the server. */
export interface Document {
  readonly kind: DocumentKind;
  readonly id: string;
  readonly value: unknown;
}
export type DocumentKind = 'key' | 'organization' | 'account' | 'hat' | 'client' | 'grant' | 'note';

export interface DocumentReader {
  document(kind: DocumentKind, id: string): Promise<unknown>;
  documents(kind: DocumentKind): Promise<readonly Document[]>;
}
/** `value` undefined removes it. `expect: 'absent'`: it must not be there yet. `bump`: the OAuth grant whose revocation epoch rises with it. */
export interface DocumentChange {
  readonly op: 'document';
  readonly kind: DocumentKind;
  readonly id: string;
  readonly value: unknown;
  readonly expect?: 'absent';
  readonly bump?: string;
}
