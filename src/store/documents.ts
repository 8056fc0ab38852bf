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
/** `value` undefined removes it. `expect: 'absent'`: it must not be there yet. The epoch `kind:id` rises with every change. */
export interface DocumentChange {
  readonly op: 'document';
  readonly kind: DocumentKind;
  readonly id: string;
  readonly value: unknown;
  readonly expect?: 'absent';
}
