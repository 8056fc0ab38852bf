import { parseArgs } from 'node:util';
import { type Command, CommandProblem, configOfStore, exits, withApp } from './command.ts';

/** A token of the real issuer, without the dance of an authorization page. */
export const token: Command = {
  name: 'token',
  summary: 'issue a real access token, also beside a running server',
  help: `Usage: npx kindred token --client C [--account A] [--record Patient/p] --scope "…"

  --client   client_id, as seeded
  --account  user name of the person behind the app; a system client has none
  --record   the patient that the token is about; needed where the account may act for several
  --scope    SMART scopes, such as "patient/MedicationStatement.crus"
  --json     accepted; the answer is always one JSON object: the token response

A hat of the account suffices: what the token may do, the Consents decide at each request.`,
  async run(args, doors) {
    const { values } = parseArgs({
      args: [...args],
      options: { client: { type: 'string' }, account: { type: 'string' }, record: { type: 'string' }, scope: { type: 'string' }, json: { type: 'boolean' } },
    });
    const { client, account, record, scope } = values;
    if (client === undefined || scope === undefined) throw new CommandProblem('--client and --scope are needed', exits.usage);
    if (record !== undefined && !/^Patient\/[A-Za-z0-9\-.]{1,64}$/.test(record))
      throw new CommandProblem(`--record must be a Patient such as Patient/mary, not \`${record}\``, exits.usage);
    const config = configOfStore(doors.environment);
    const response = await withApp(doors, config, app =>
      app.issue({ client, scope, ...(account === undefined ? {} : { account }), ...(record === undefined ? {} : { record }) }),
    );
    process.stdout.write(`${JSON.stringify(response)}\n`);
    return exits.done;
  },
};
