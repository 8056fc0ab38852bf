import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import type { Account, Hat, HatKind } from '../account/account.ts';
import {
  addAccount,
  disableAccount,
  enableAccount,
  hatKinds,
  type Listed,
  listAccounts,
  type NewAccount,
  type OperatorParts,
  unlockAccount,
} from '../account/operator.ts';
import type { KeyName } from '../fhir/types.ts';
import { makeNote } from '../interaction/occurrence.ts';
import { type App, type Command, CommandProblem, configOfStore, exits, print, withApp } from './command.ts';

const usage = `Usage: npx kindred account add NAME [--password-stdin] [--hat HAT]… [--email E] [--name "As people write it"] [--json]
       npx kindred account disable | enable | unlock NAME [--json]
       npx kindred account list [--json]`;

/** Who may get in, for whoever runs the server. */
export const account: Command = {
  name: 'account',
  summary: 'add, disable, enable, unlock and list accounts',
  help: `${usage}

  add       an account for what is stored already. HAT: what it may act as, such as patient:Patient/mary, caregiver:RelatedPerson/anna-for-mary,
            practitioner:Practitioner/lee@ima, front-desk@ima or privacy-officer@general (after the @ the organization)
  disable   nobody gets in any more; sessions and tokens end with the next request
  enable    the person may sign in again; what has ended stays so
  unlock    forgets failed sign-ins; a lock would end by itself
  list      accounts with their hats, factors and locks

  --password-stdin  the password is read from stdin. Without it nobody can sign in with a password

Beside a running server too. Each is in the log.`,
  async run(args, doors) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'password-stdin': { type: 'boolean', default: false },
        hat: { type: 'string', multiple: true, default: [] },
        email: { type: 'string' },
        name: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const [verb = '', username, ...more] = positionals;
    const work = (parts: (app: App) => Promise<void>): Promise<void> => withApp(doors, configOfStore(doors.environment), parts);
    const alter = Object.hasOwn(alterations, verb) ? alterations[verb] : undefined;
    if (more.length > 0 || (verb === 'list') !== (username === undefined)) throw new CommandProblem(usage, exits.usage);
    if (verb === 'list') await work(async app => printList(await listAccounts(partsOf(app)), values.json));
    else if (verb === 'add') {
      const hats = values.hat.map(readHat);
      const password = values['password-stdin'] ? (await text(process.stdin)).replace(/\r?\n$/, '') : undefined;
      const { email, name } = values;
      const asked: NewAccount = {
        username: username!,
        hats,
        ...(password === undefined ? {} : { password }),
        ...(email === undefined ? {} : { email }),
        ...(name === undefined ? {} : { name }),
      };
      await work(async app => {
        const made = await addAccount(asked, partsOf(app));
        if (!('username' in made)) throw new CommandProblem(made.join('\n'));
        print(values.json, { added: made.username, hats: made.hats }, `account ${made.username} was added`);
      });
    } else if (alter !== undefined) {
      await work(async app => {
        const altered = await alter.change(username!, partsOf(app));
        if (altered === undefined) throw new CommandProblem(`there is no account \`${username}\``);
        print(values.json, { [alter.done]: altered.username }, `account ${altered.username} is ${alter.done}`);
      });
    } else throw new CommandProblem(usage, exits.usage);
    return exits.done;
  },
};

const alterations: Readonly<Record<string, { readonly done: string; change(username: string, parts: OperatorParts): Promise<Account | undefined> }>> = {
  disable: { done: 'disabled', change: disableAccount },
  enable: { done: 'enabled', change: enableAccount },
  unlock: { done: 'unlocked', change: unlockAccount },
};
const partsOf = ({ store, now, parts }: App): OperatorParts => ({ store, now, note: makeNote(parts) });

/** `kind:Type/id@organization`. */
function readHat(written: string): Hat {
  const [, kind = '', resource, organization] = /^([a-z-]+)(?::([A-Za-z]+\/[A-Za-z0-9\-.]{1,64}))?(?:@([A-Za-z0-9\-.]{1,64}))?$/.exec(written) ?? [];
  if (!(hatKinds as readonly string[]).includes(kind))
    throw new CommandProblem(`a hat is written such as patient:Patient/mary or practitioner:Practitioner/lee@ima, not \`${written}\``, exits.usage);
  return {
    kind: kind as HatKind,
    ...(resource === undefined ? {} : { resource: resource as KeyName }),
    ...(organization === undefined ? {} : { organization }),
  };
}

function printList(accounts: readonly Listed[], json: boolean): void {
  const hat = ({ kind, resource, organization }: Hat): string =>
    `${kind}${resource === undefined ? '' : `:${resource}`}${organization === undefined ? '' : `@${organization}`}`;
  const state = ({ disabled, locked }: Listed): string =>
    disabled !== undefined ? `disabled since ${disabled}` : locked === undefined ? '' : `locked until ${locked}`;
  const lines = accounts.map(one => [one.username, one.hats.map(hat).join(' '), one.factors.join('+') || 'no factor', state(one)].filter(Boolean).join('  '));
  print(json, accounts, lines.join('\n'));
}
