import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Caller } from '../access/caller.ts';
import type { Accounts } from '../account/accounts.ts';
import type { Mail } from '../account/mail.ts';
import type { Occurrence } from '../audit/occurrence.ts';
import type { TokenRequest, TokenResponse } from '../auth/issue.ts';
import type { KeyRing } from '../auth/keys.ts';
import type { Verify } from '../auth/verify.ts';
import { type Config, readConfig } from '../config.ts';
import type { Answer, FhirRequest, Interaction } from '../interaction/interaction.ts';
import type { Parts } from '../interaction/parts.ts';
import type { Routed } from '../interaction/table.ts';
import type { WriteLog } from '../log.ts';
import type { StoreAddress } from '../store/address.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import type { Transfer } from '../store/transfer.ts';

/** All parts put together, without a server around them. */
export interface App {
  readonly config: Config;
  readonly store: ResourceStore;
  /** Public URL, without a slash at the end. */
  readonly url: string;
  readonly log: WriteLog;
  readonly verify: Verify;
  readonly parts: Parts;
  /** The caller of open mode. */
  readonly open: Caller;
  now(): string;
  readonly keys: KeyRing;
  readonly accounts: Accounts;
  readonly mail: Mail;
  /** A line of the log about what happens beside the road. */
  note(occurrence: Occurrence): readonly Extract<Change, { readonly op: 'event' }>[];
  /** Ends an authorization: all its tokens, and its Consent. */
  end(grant: string, from?: { readonly address?: string }): Promise<void>;
  issue(request: TokenRequest): Promise<TokenResponse>;
  /** The one road. `routed`: where the request has been routed already. */
  run(request: FhirRequest, caller: Caller, routed?: Routed): Promise<Answer>;
  /** Takes an interaction that no address leads to along the road. */
  walk(interaction: Interaction, path: readonly string[], caller: Caller): Promise<Answer>;
  /** A person activates a Consent: the one write that no client can ask for. */
  activate(id: string, version: string, person: Caller): Promise<Answer>;
  close(): Promise<void>;
}
export interface Running {
  readonly app: App;
  readonly url: string;
  readonly server: Server;
  /** Stops taking requests, lets the running ones end, closes the store. */
  stop(): Promise<void>;
}

/** What commands get from outside: they know no engine and open nothing themselves. */
export interface Doors {
  openApp(config: Config): Promise<App>;
  serve(config: Config): Promise<Running>;
  /** A store as it is carried to another, or as another is carried into it. `packages`: as in the configuration. */
  openTransfer(address: StoreAddress, role: 'source' | 'target', packages: readonly string[]): Promise<Transfer>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The rest of `--help`: arguments, options, an example. */
  readonly help: string;
  /** Gives back the exit code. */
  run(args: readonly string[], doors: Doors): Promise<number>;
}

/** Exit codes: 0 done, 1 refused or not all done, 2 wrong usage, 78 bad configuration (sysexits). */
export const exits = { done: 0, failed: 1, usage: 2, configuration: 78 } as const;

/** What ends a command with a sentence on stderr. */
export class CommandProblem extends Error {
  readonly exit: number;
  constructor(message: string, exit: number = exits.failed) {
    super(message);
    this.exit = exit;
  }
}
/** The configuration of the environment, or every mistake in it. */
export function configOf(environment: Doors['environment']): Config {
  const read = readConfig(environment);
  if ('config' in read) return read.config;
  throw new CommandProblem(read.mistakes.join('\n'), exits.configuration);
}
/** The same, of a store that is there: a new one would be empty, and its log sound. */
export function configOfStore(environment: Doors['environment']): Config {
  const config = configOf(environment);
  const { store } = config;
  if (store.engine === 'sqlite' && store.path !== ':memory:' && !existsSync(store.path))
    throw new CommandProblem(`there is no store at \`${store.path}\` (KINDRED_STORE)`);
  return config;
}
/** Result of a command: JSON on stdout, or a sentence for people. */
export function print(json: boolean, value: unknown, text: string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`);
}
/** Resolves at the first SIGTERM or SIGINT from now on; a second one ends the process as it would any other. */
export const untilSignal = (): Promise<void> =>
  new Promise(resolve => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
/** Opens the app, works with it, and closes it whatever happens. */
export async function withApp<T>(doors: Doors, config: Config, work: (app: App) => Promise<T>): Promise<T> {
  const app = await doors.openApp(config);
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
