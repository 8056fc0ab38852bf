/** A server for the MongoDB suites, or one sentence why there is none. */
export type Found = { readonly url: string; readonly what: string } | { readonly reason: string };

type Way = () => Promise<Found>;

/** The first way that leads to a server. Where none does, every one has said why. */
export async function firstFound(ways: readonly Way[]): Promise<Found> {
  const reasons: string[] = [];
  for (const way of ways) {
    const found = await way().catch((error: unknown): Found => ({ reason: reasonOf(error) }));
    if ('url' in found) return found;
    reasons.push(found.reason);
  }
  return { reason: reasons.join('; ') };
}

/** `asked` is `KINDRED_TEST_MONGODB`. Who asks for a server gets that one or none: another would only seem to have been tested. */
export function findServer(asked: string | undefined, ways: { readonly look: (url: string) => Promise<Found>; readonly start: Way }): Promise<Found> {
  if (asked === 'off') return Promise.resolve({ reason: 'switched off by KINDRED_TEST_MONGODB=off' });
  return firstFound([asked ? () => ways.look(asked) : ways.start]);
}

/** A reason on one line: no stack, no list of what to try. Some messages only begin on the first. */
export function reasonOf(error: unknown): string {
  const [first = '', second = ''] = (error instanceof Error ? error.message : String(error)).trim().split('\n');
  return (first.endsWith(':') ? `${first} ${second}` : first).trim().slice(0, 300);
}

/** What a server says of itself. The store needs transactions, so a standalone server does not do. */
export function kindOf(hello: { readonly msg?: unknown; readonly setName?: unknown; readonly maxWireVersion?: unknown }, version: unknown): string {
  if (hello.msg === 'isdbgrid') return `a server that presents itself as mongos, wire version ${hello.maxWireVersion}`;
  if (hello.setName !== undefined) return `mongod ${version}, replica set`;
  throw new Error('it is a standalone server, which has no transactions: it must be a replica set or a mongos');
}

/** What a process that ended said about it: in a line of a mongod's log that is an error, else in the first that is not a log line. */
export function lastWords(output: string): string {
  const lines = output.split('\n').filter(line => line.trim() !== '');
  const logged = lines.filter(line => line.startsWith('{')).map(parseLogLine);
  const error = logged.findLast(line => line.severity === 'F' || line.severity === 'E') ?? logged.at(-1);
  return (lines.find(line => !line.startsWith('{')) ?? error?.text ?? 'it said nothing').trim().slice(0, 200);
}
function parseLogLine(line: string): { readonly severity: string; readonly text: string } {
  try {
    const { s, msg, attr } = JSON.parse(line) as { s: string; msg: string; attr?: { error?: unknown } };
    const cause = attr?.error;
    return { severity: s, text: cause === undefined ? msg : `${msg}: ${typeof cause === 'string' ? cause : JSON.stringify(cause)}` };
  } catch {
    return { severity: '', text: line };
  }
}
