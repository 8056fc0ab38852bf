import { DatabaseSync } from 'node:sqlite';
import express from 'express';

/**
 * The floor, a process of its own: the least that an Express server over SQLite does for the same bytes. It reads bodies by key, puts pages together from
 * a list of keys, and inserts bodies with group commit. It knows nothing of FHIR, consents, indexes or a log.
 */
const db = new DatabaseSync(process.env.FLOOR_STORE!);
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536');
db.exec('CREATE TABLE IF NOT EXISTS stored (key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID; CREATE TABLE IF NOT EXISTS page (key TEXT PRIMARY KEY, keys TEXT)');
const one = db.prepare('SELECT body FROM stored WHERE key = ?');
const page = db.prepare('SELECT stored.key, stored.body FROM page, json_each(page.keys) j CROSS JOIN stored ON stored.key = j.value WHERE page.key = ?');
const insert = db.prepare('INSERT INTO stored VALUES (?, ?)');

const type = { 'Content-Type': 'application/fhir+json; charset=utf-8', 'Cache-Control': 'no-store' };
const send = (response: express.Response, status: number, body: Uint8Array): void => {
  response.writeHead(status, { ...type, 'Content-Length': String(body.length) });
  response.end(body);
};
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.get('/fhir/:type/:id', (request, response) => {
  send(response, 200, (one.get(`${request.params.type}/${request.params.id}`) as { body: Uint8Array }).body);
});
app.get('/fhir/:type', (request, response) => {
  const rows = page.all(request.url) as { key: string; body: Uint8Array }[];
  const parts: Uint8Array[] = [];
  for (const { key, body } of rows)
    parts.push(Buffer.from(`${parts.length === 0 ? '' : '},'}{"fullUrl":"http://localhost/fhir/${key}","search":{"mode":"match"},"resource":`), body);
  send(response, 200, Buffer.concat([Buffer.from('{"resourceType":"Bundle","type":"searchset","entry":['), ...parts, Buffer.from('}]}')]));
});

let waiting: { readonly body: Buffer; readonly response: express.Response }[] = [];
let made = 0;
const run = Date.now();
function commit(): void {
  const group = waiting;
  waiting = [];
  db.exec('BEGIN IMMEDIATE');
  for (const { body } of group) insert.run(`new/${run}-${made++}`, body);
  db.exec('COMMIT');
  for (const { body, response } of group) send(response, 201, body);
}
app.post('/fhir/:type', (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    JSON.parse(body.toString('utf8'));
    if (waiting.push({ body, response }) === 1) setImmediate(commit);
  });
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` })}\n`);
});
process.once('SIGTERM', () => {
  server.close(() => db.close());
  server.closeAllConnections();
});
