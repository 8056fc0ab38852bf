import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Child, quiet } from './child.ts';
import { type Ask, ask, requestBytes } from './client.ts';
import { readPath } from './paths.ts';
import { makeWorlds, modes } from './world.ts';

const help = `Usage: npm run bench:tokens -- [--quick] [--json FILE]

What getting in costs, in CPU time of the server, on SQLite over a real file, 32 connections, the log on:
  read    with a token that has been seen (an EHR, a patient's app), against the same read in open mode, in turns
  token   issue for a backend service: by secret, and by assertions with RS384 and ES384, each of them new

  --quick      short rounds: to see that it works
  --json FILE  where the figures go (bench-tokens.json)
`;
const FORM = 'application/x-www-form-urlencoded';
const SECRET = 'a-long-and-random-secret-for-the-bench';
const assertionAlgorithms = ['RS384', 'ES384'] as const;
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** CPU time of the server, µs a request. */
async function cpuOf(child: Child, count: number, make: Ask): Promise<number> {
  const before = await child.cpu();
  const { latencies } = await ask(child.url, count, 60, make);
  return ((await child.cpu()) - before) / latencies.length;
}

const { values } = parseArgs({
  options: { help: { type: 'boolean', short: 'h' }, quick: { type: 'boolean', default: false }, json: { type: 'string', default: 'bench-tokens.json' } },
});
if (values.help) process.stdout.write(help);
else await run(values.quick ? [2, 300] : [15, 3000], values.json);

async function run([rounds, count]: readonly number[], file: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kindred-bench-'));
  const keys = await Promise.all(assertionAlgorithms.map(async alg => ({ alg, ...(await generateKeyPair(alg, { extractable: true })) })));
  const jwks = { keys: await Promise.all(keys.map(async ({ alg, publicKey }) => ({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' }))) };
  const shared = { client_name: 'Backend', kind: 'system', organization: 'clinic', scope: 'system/*.rs' };
  const clients = [
    { ...shared, client_id: 'by-secret', client_secret: SECRET },
    { ...shared, client_id: 'by-assertion', jwks },
  ];
  const { worlds, end } = await makeWorlds(folder, 20, undefined, clients);
  const world = worlds[0]!;
  const results: Record<string, number> = {};
  const say = (name: string, value: number, text: string): void => {
    results[name] = Math.round(value * 1000) / 1000;
    process.stdout.write(`${name.padEnd(28)}${text}\n`);
  };
  try {
    const open = await world.open(modes.find(mode => mode.name === 'audit')!, [quiet]);
    for (const name of ['system', 'patient'] as const) {
      const mode = modes.find(one => one.name === name)!;
      const guarded = await world.open(mode, [quiet]);
      const asking = (token: string | undefined): Ask => {
        let made = 0;
        return () => requestBytes('GET', readPath('own' in mode ? 0 : made % world.patients, made++), token);
      };
      const [one, other] = [asking(undefined), asking(guarded.token)];
      const [least, ours]: [number[], number[]] = [[], []];
      for (let at = 0; at <= rounds!; at++) {
        const [cpu, more] = [await cpuOf(open.child, count!, one), await cpuOf(guarded.child, count!, other)];
        if (at > 0) [least, ours].forEach((list, of) => void list.push([cpu, more][of]!));
      }
      await guarded.child.end();
      const ratio = median(ours) / median(least);
      say(`read ${name}`, ratio, `${ratio.toFixed(2)} of the CPU of open mode (medians ${median(ours).toFixed(0)} and ${median(least).toFixed(0)} µs)`);
    }
    await open.child.end();

    const { child } = await world.open({ name: 'tokens', environment: {} }, [quiet]);
    const form = { grant_type: 'client_credentials', scope: 'system/*.rs' };
    const bodies: Record<string, () => Promise<string>> = {
      secret: async () => new URLSearchParams({ ...form, client_id: 'by-secret', client_secret: SECRET }).toString(),
    };
    for (const { alg, privateKey } of keys)
      bodies[alg] = async () => {
        const claims = {
          iss: 'by-assertion',
          sub: 'by-assertion',
          aud: `${child.url}/auth/token`,
          jti: randomUUID(),
          exp: Math.floor(Date.now() / 1000) + 290,
        };
        const assertion = await new SignJWT(claims).setProtectedHeader({ alg, kid: alg, typ: 'JWT' }).sign(privateKey);
        return new URLSearchParams({
          ...form,
          client_assertion: assertion,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        }).toString();
      };
    for (const [name, make] of Object.entries(bodies)) {
      const costs: number[] = [];
      for (let at = 0; at <= Math.min(rounds!, 5); at++) {
        const ready = await Promise.all(Array.from({ length: Math.ceil(count! / 3) }, make));
        const cost = await cpuOf(child, ready.length, index => requestBytes('POST', '/auth/token', undefined, ready[index]!, FORM));
        if (at > 0) costs.push(cost);
      }
      const cost = median(costs);
      say(`token ${name}`, cost, `${cost.toFixed(0)} µs CPU, ${(1e6 / cost).toFixed(0)} a second on one core`);
    }
    await child.end();
  } finally {
    await end();
    rmSync(folder, { recursive: true, force: true });
  }
  writeFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), node: process.version, rounds, count, results }, null, 1)}\n`);
}
