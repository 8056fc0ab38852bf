import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import type { Account } from '../account/account.ts';
import { confirms } from '../account/password.ts';
import type { KeyName } from '../fhir/types.ts';
import { handOf } from '../interaction/app-consent.ts';
import type { RecordId } from '../search/indexed.ts';
import { type App, type Command, CommandProblem, configOfStore, exits, print, withApp } from './command.ts';

/** What a person does on the page of a proposal: bring it into force, after confirming who she is. */
export const consent: Command = {
  name: 'consent',
  summary: 'activate a proposed Consent, as the person whose record it is about',
  help: `Usage: npx kindred consent activate ID --version V --account A --password-stdin [--totp N] [--json]

  --version         the version of the Consent that the person has seen; any other is refused
  --account         the person's user name
  --password-stdin  the password is read from stdin
  --totp            the code of the authenticator app, where the account has one

Only on the server's own machine. It is in the log as done by that person.`,
  async run(args, doors) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        version: { type: 'string' },
        account: { type: 'string' },
        'password-stdin': { type: 'boolean', default: false },
        totp: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const [verb, id] = positionals;
    if (verb !== 'activate' || id === undefined || positionals.length > 2)
      throw new CommandProblem('the command is `kindred consent activate ID`', exits.usage);
    const { version, account, totp } = values;
    if (version === undefined || account === undefined) throw new CommandProblem('--version and --account are needed', exits.usage);
    const password = values['password-stdin'] ? (await text(process.stdin)).replace(/\r?\n$/, '') : undefined;
    await withApp(doors, configOfStore(doors.environment), app => activateAs(app, id, version, account, { password, totp }));
    print(values.json, { activated: `Consent/${id}` }, `Consent/${id} is in force`);
    return exits.done;
  },
};

/** The person behind the account confirms with every factor that it has, and the Consent comes into force. */
export async function activateAs(
  app: App,
  id: string,
  version: string,
  username: string,
  factors: { readonly password?: string | undefined; readonly totp?: string | undefined },
): Promise<void> {
  const account = (await app.store.document('account', username)) as Account | undefined;
  const own = account?.hats.find(hat => hat.kind === 'patient')?.resource as KeyName | undefined;
  // One sentence for all, so that nobody learns which account there is or which factor was right.
  if (account === undefined || own === undefined || !(await confirms(account, factors, Date.parse(app.now()))))
    throw new CommandProblem('the account, its password or its code is not right');
  await app.activate(id, version, handOf({ account: username, who: own, record: own as RecordId }));
}
