import express from 'express';
import { openMongodbFloor } from './floor-mongodb.ts';
import { openSqliteFloor } from './floor-sqlite.ts';

/**
 * The floor, a process of its own: the least that an Express server over the same database does for the same bytes. It reads bodies by key, puts pages
 * together from a list of keys, and inserts bodies durably. It knows nothing of FHIR, consents, indexes or a log.
 */
export interface Floor {
  one(key: string): Promise<Uint8Array>;
  /** Keys and bodies of the page of a search. */
  page(url: string): Promise<readonly { readonly key: string; readonly body: Uint8Array }[]>;
  /** Resolves when it is on disk. */
  insert(body: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
const address = process.env.FLOOR_STORE!;
const floor = address.startsWith('mongodb') ? openMongodbFloor(address) : openSqliteFloor(address);

const type = { 'Content-Type': 'application/fhir+json; charset=utf-8', 'Cache-Control': 'no-store' };
const send = (response: express.Response, status: number, body: Uint8Array): void => {
  response.writeHead(status, { ...type, 'Content-Length': String(body.length) });
  response.end(body);
};
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.get('/fhir/:type/:id', async (request, response) => {
  send(response, 200, await floor.one(`${request.params.type}/${request.params.id}`));
});
app.get('/fhir/:type', async (request, response) => {
  const parts: Uint8Array[] = [];
  for (const { key, body } of await floor.page(request.url))
    parts.push(Buffer.from(`${parts.length === 0 ? '' : '},'}{"fullUrl":"http://localhost/fhir/${key}","search":{"mode":"match"},"resource":`), body);
  send(response, 200, Buffer.concat([Buffer.from('{"resourceType":"Bundle","type":"searchset","entry":['), ...parts, Buffer.from('}]}')]));
});
app.post('/fhir/:type', (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const body = Buffer.concat(chunks);
    JSON.parse(body.toString('utf8'));
    await floor.insert(body);
    send(response, 201, body);
  });
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` })}\n`);
});
process.once('SIGTERM', () => {
  server.close(() => void floor.close());
  server.closeAllConnections();
});
