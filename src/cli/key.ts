import { parseArgs } from 'node:util';
import { rotateKeys, type SigningKey, verifies, verifiesUntil } from '../auth/keys.ts';
import { type Command, CommandProblem, configOfStore, exits, print, withApp } from './command.ts';

const usage = `Usage: npx kindred key rotate [--drop] [--json]
       npx kindred key list [--json]`;

/** What tokens are signed with. */
export const key: Command = {
  name: 'key',
  summary: 'rotate and list the keys that tokens are signed with',
  help: `${usage}

  rotate   new keys sign from now on, on every server of the store; what the old ones signed is taken for another day
  list     the keys, newest first, and until when they verify

  --drop   the old keys verify nothing any more, since they may have leaked: every access token ends at once

Beside a running server too. It is in the log.`,
  async run(args, doors) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { drop: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    });
    const [verb, ...more] = positionals;
    if ((verb !== 'rotate' && verb !== 'list') || more.length > 0 || (verb === 'list' && values.drop)) throw new CommandProblem(usage, exits.usage);
    await withApp(doors, configOfStore(doors.environment), async ({ store, now, note, keys }) => {
      if (verb === 'list') {
        const shown = (await keys.current()).keys.map(one => stateOf(one, Date.parse(now())));
        return print(values.json, shown, shown.map(({ id, algorithm, state, until }) => [id, algorithm, state, until].join('\t').trimEnd()).join('\n'));
      }
      const line = (made: readonly string[]) =>
        note({ code: 'key', text: `rotated: ${made.join(', ')} sign${values.drop ? '; the old ones were dropped' : ''}` });
      const made = await rotateKeys(store, now, { drop: values.drop, line });
      print(values.json, { made, dropped: values.drop }, `these keys sign from now on: ${made.join(', ')}`);
    });
    return exits.done;
  },
};

function stateOf({ id, algorithm, retired }: SigningKey, now: number) {
  if (retired === undefined) return { id, algorithm, state: 'signs' };
  const until = new Date(verifiesUntil(retired)).toISOString();
  return { id, algorithm, state: verifies({ retired }, now) ? 'verifies' : 'ended', until };
}
