import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';

/** An authenticator in software, with one credential: ES256, attestation `none`. */
export interface Authenticator {
  readonly id: string;
  /** What `navigator.credentials.create` answers. */
  create(options: unknown, how?: How): unknown;
  /** What `navigator.credentials.get` answers. */
  get(options: unknown, how?: How): unknown;
}
export interface How {
  readonly origin?: string;
  readonly rpID?: string;
  /** User verification. */
  readonly verified?: boolean;
  readonly counter?: number;
  readonly user?: string;
  readonly challenge?: string;
}
interface Options {
  readonly challenge: string;
  readonly user?: { readonly id: string };
}
const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();

/** `counter`: what it begins with; 0 and it never counts, as synced passkeys do. */
export function makeAuthenticator(counter = 1): Authenticator {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const rawId = randomBytes(32);
  const id = rawId.toString('base64url');
  let count = counter;
  let user: string | undefined;

  const data = ({ rpID = 'localhost', verified = true, counter: told }: How, attested?: Buffer): Buffer => {
    const counts = Buffer.alloc(4);
    counts.writeUInt32BE(told ?? count);
    const flags = 0x01 | (verified ? 0x04 : 0) | (attested === undefined ? 0 : 0x40);
    return Buffer.concat([sha256(rpID), Buffer.from([flags]), counts, ...(attested === undefined ? [] : [attested])]);
  };
  const client = (type: string, { challenge }: Options, how: How): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge: how.challenge ?? challenge, origin: how.origin ?? 'http://localhost:8080', crossOrigin: false }));
  const answer = (response: object): unknown => ({ id, rawId: id, type: 'public-key', clientExtensionResults: {}, response });

  return {
    id,
    create(options, how = {}) {
      user = (options as Options).user?.id;
      const key = new Map<number, number | Uint8Array>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, new Uint8Array(Buffer.from(x!, 'base64url'))],
        [-3, new Uint8Array(Buffer.from(y!, 'base64url'))],
      ]);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(rawId.length);
      const attested = Buffer.concat([Buffer.alloc(16), length, rawId, isoCBOR.encode(key)]);
      const object = new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', new Uint8Array(data(how, attested))],
      ]);
      return answer({
        clientDataJSON: client('webauthn.create', options as Options, how).toString('base64url'),
        attestationObject: Buffer.from(isoCBOR.encode(object as never)).toString('base64url'),
        transports: ['internal'],
      });
    },
    get(options, how = {}) {
      if (count > 0) count++;
      const told = data(how);
      const json = client('webauthn.get', options as Options, how);
      const signature = createSign('SHA256')
        .update(Buffer.concat([told, sha256(json)]))
        .sign(privateKey);
      return answer({
        clientDataJSON: json.toString('base64url'),
        authenticatorData: told.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: how.user ?? user,
      });
    },
  };
}
