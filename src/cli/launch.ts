import { parseArgs } from 'node:util';
import type { Client } from '../auth/client.ts';
import { makeLaunch } from '../auth/launch.ts';
import { type Command, CommandProblem, configOfStore, exits, print, withApp } from './command.ts';

/** What an EHR does when it opens an app, by hand. */
export const launch: Command = {
  name: 'launch',
  summary: 'make a launch value, as an EHR does when it opens an app',
  help: `Usage: npx kindred launch --client C [--account A] --patient p [--encounter e] [--intent i] [--json]

  --client     the app that is opened
  --account    user name of who is signed in at the EHR
  --patient    id of the patient whose record is open there
  --encounter  id of the encounter, one of that patient
  --intent     what the app is to do, in its own words

Prints the value of \`launch\`, good for ten minutes and once, and the address to open where the client has a launch_uri.
Beside a running server too. It is in the log.`,
  async run(args, doors) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        client: { type: 'string' },
        account: { type: 'string' },
        patient: { type: 'string' },
        encounter: { type: 'string' },
        intent: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const { client, patient, account, encounter, intent } = values;
    if (client === undefined || patient === undefined) throw new CommandProblem('--client and --patient are needed', exits.usage);
    const asked = {
      client,
      patient,
      ...(account === undefined ? {} : { account }),
      ...(encounter === undefined ? {} : { encounter }),
      ...(intent === undefined ? {} : { intent }),
    };
    const made = await withApp(doors, configOfStore(doors.environment), async ({ store, now, note, url }) => {
      const value = await makeLaunch(asked, { store, now, note });
      const { launch_uri: at } = (await store.document('client', client)) as Client;
      return { launch: value, ...(typeof at === 'string' ? { url: addressOf(at, `${url}/fhir`, value) } : {}), expires_in: 600 };
    });
    print(values.json, made, made.url === undefined ? made.launch : `${made.launch}\n${made.url}`);
    return exits.done;
  },
};

/** SMART App Launch 2.2 §Launch App: EHR Launch. */
function addressOf(launchUri: string, iss: string, value: string): string {
  const url = new URL(launchUri);
  url.searchParams.set('iss', iss);
  url.searchParams.set('launch', value);
  return url.href;
}
