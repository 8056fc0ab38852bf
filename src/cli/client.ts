import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Client } from '../auth/client.ts';
import { hashSecret } from '../auth/client-metadata.ts';
import { addClient, approveClient, type ClientParts, enableClient, revokeClient } from '../auth/clients.ts';
import { Problem } from '../fhir/problem.ts';
import { type App, type Command, CommandProblem, configOfStore, exits, print, withApp } from './command.ts';
import { readJson } from './seed.ts';

const usage = `Usage: npx kindred client add ID --name N --kind app|system --scope "…" [options] [--json]
       npx kindred client approve ID [--organization O] [--json]
       npx kindred client revoke | enable ID [--json]
       npx kindred client list [--json]`;
const options = {
  name: { type: 'string' },
  kind: { type: 'string' },
  organization: { type: 'string' },
  scope: { type: 'string' },
  'redirect-uri': { type: 'string', multiple: true },
  secret: { type: 'boolean', default: false },
  jwks: { type: 'string' },
  'jwks-uri': { type: 'string' },
  'launch-uri': { type: 'string' },
  'may-launch': { type: 'boolean', default: false },
  'may-introspect': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;
const read = (args: readonly string[]) => parseArgs({ args: [...args], allowPositionals: true, options });
type Values = ReturnType<typeof read>['values'];

/** Apps and systems that may ask for tokens. */
export const client: Command = {
  name: 'client',
  summary: 'add, approve, revoke, enable and list apps and systems',
  help: `${usage}

  add       registers an app or a system
  approve   lets one in that registered itself; a system needs the organization that it works for
  revoke    its tokens are refused from the next request on; its authorizations and their Consents end
  enable    it may be used again; what has ended stays so
  list      clients, with what they may be granted and whether they may be used

Of add:
  --name          as people read it
  --kind          app (for people) or system (for one organization)
  --organization  the one organization that a system works for
  --scope         the most that it may be granted, such as "launch/patient patient/*.rs"
  --redirect-uri  where an app is sent back to; may be given again
  --secret        makes a client_secret: it is shown once, and kept as a hash
  --jwks          a JSON file with its public keys
  --jwks-uri      where its public keys are published
  --launch-uri    where an EHR opens the app
  --may-launch    a system that may make launches of apps (POST /auth/launch)
  --may-introspect  a system that may ask about tokens of others

Beside a running server too. Each is in the log.`,
  async run(args, doors) {
    const { values, positionals } = read(args);
    const [verb = '', id, ...more] = positionals;
    const work = (on: (app: App) => Promise<void>): Promise<void> => withApp(doors, configOfStore(doors.environment), on);
    if (more.length > 0 || (verb === 'list') !== (id === undefined)) throw new CommandProblem(usage, exits.usage);
    const act = verb === 'list' ? list : Object.hasOwn(verbs, verb) ? verbs[verb]! : undefined;
    if (act === undefined) throw new CommandProblem(usage, exits.usage);
    refuseStrays(verb, values);
    await work(app => act(app, id ?? '', values)).catch(error => {
      throw inOptions(error);
    });
    return exits.done;
  },
};

type Act = (app: App, id: string, values: Values) => Promise<void>;
const partsOf = ({ store, now, note, end }: App): ClientParts => ({ store, now, note, endGrant: id => end(id) });

const verbs: Readonly<Record<string, Act>> = {
  async add(app, id, values) {
    const secret = values.secret ? randomBytes(32).toString('base64url') : undefined;
    await addClient(clientFrom(id, values, secret), partsOf(app));
    const shown = secret === undefined ? '' : `\nclient_secret (shown this once): ${secret}`;
    print(values.json, { client_id: id, ...(secret === undefined ? {} : { client_secret: secret }) }, `client ${id} is registered${shown}`);
  },
  async approve(app, id, values) {
    await approveClient(id, values.organization, partsOf(app));
    print(values.json, { approved: id }, `client ${id} may be used`);
  },
  async revoke(app, id, values) {
    const ended = await revokeClient(id, partsOf(app));
    print(values.json, { revoked: id, ended: ended.length }, `client ${id} is revoked; authorizations that ended: ${ended.length}`);
  },
  async enable(app, id, values) {
    await enableClient(id, partsOf(app));
    print(values.json, { enabled: id }, `client ${id} may be used again`);
  },
};

function clientFrom(id: string, values: Values, secret: string | undefined): Client {
  const { name, kind, scope, organization, jwks } = values;
  if (name === undefined || scope === undefined || (kind !== 'app' && kind !== 'system'))
    throw new CommandProblem('--name, --scope and --kind (app or system) are needed', exits.usage);
  const given = {
    organization,
    redirect_uris: values['redirect-uri'],
    client_secret: secret === undefined ? undefined : hashSecret(secret),
    jwks: jwks === undefined ? undefined : readJson(jwks),
    jwks_uri: values['jwks-uri'],
    launch_uri: values['launch-uri'],
    launch: values['may-launch'] || undefined,
    introspect: values['may-introspect'] || undefined,
  };
  return { client_id: id, client_name: name, kind, scope, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

async function list({ store }: App, _id: string, { json }: Values): Promise<void> {
  const clients = (await store.documents('client')).map(({ value }) => value as Client).sort((one, other) => (one.client_id < other.client_id ? -1 : 1));
  const shown = clients.map(({ client_secret, ...rest }) => ({ ...rest, ...(client_secret === undefined ? {} : { has_secret: true }) }));
  const line = ({ client_id, client_name, kind, organization, scope, status }: Client): string =>
    `${client_id}\t${kind}${organization === undefined ? '' : ` of ${organization}`}\t${status ?? 'in use'}\t${client_name}\t${scope}`;
  print(json, shown, clients.length === 0 ? 'there are no clients' : clients.map(line).join('\n'));
}

/** What only `add` has says nothing elsewhere, and would be taken for done. */
function refuseStrays(verb: string, values: Values): void {
  const taken: readonly string[] = verb === 'add' ? Object.keys(options) : verb === 'approve' ? ['organization', 'json'] : ['json'];
  const stray = Object.entries(values).find(([name, value]) => value !== false && !taken.includes(name));
  if (stray !== undefined) throw new CommandProblem(`\`client ${verb}\` has no --${stray[0]}`, exits.usage);
}

const named: Readonly<Record<string, string>> = {
  client_id: 'ID',
  client_name: '--name',
  redirect_uris: '--redirect-uri',
  jwks_uri: '--jwks-uri',
  launch_uri: '--launch-uri',
  client_secret: '--secret',
};
/** Mistakes with the options that they are in, in place of their JSON pointers. */
function inOptions(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const option = (mistake: string): string => mistake.replace(/^\/([a-z_]+)/, (_, name: string) => named[name] ?? `--${name}`);
  return new CommandProblem(error.message.split('\n').map(option).join('\n'));
}
