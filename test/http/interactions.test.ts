import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { lisinopril, statement } from './resources.ts';
import { type Client, openWorld, resourcesOf, type World } from './world.ts';

// Each interaction by itself, as R4's page on HTTP has it: http://hl7.org/fhir/R4/http.html
let world: World;
let ehr: Client;
let mary: Client;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  mary = world.as(await world.token('med-app', 'patient/*.cruds', 'mary'));
});
afterAll(() => world.end());

interface HistoryBundle {
  readonly type: string;
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry: readonly {
    readonly fullUrl: string;
    readonly resource?: { readonly meta: { readonly versionId: string } };
    readonly request: { readonly method: string; readonly url: string };
    readonly response: { readonly status: string; readonly etag: string; readonly lastModified: string };
  }[];
}
const nextOf = (bundle: HistoryBundle): string | undefined => bundle.link.find(link => link.relation === 'next')?.url;
const practitioner = (identifier: string, more: object = {}): object => ({
  resourceType: 'Practitioner',
  identifier: [{ system: 'urn:example:npi', value: identifier }],
  ...more,
});

test('create answers 201 with Location, ETag and Last-Modified (#create)', async () => {
  const answer = await ehr.post('MedicationStatement', lisinopril());
  expect(answer.status).toBe(201);
  expect(answer.body.id).toMatch(uuid);
  expect(answer.body.meta.versionId).toBe('1');
  expect(answer.headers.location).toBe(`${world.url}/fhir/MedicationStatement/${answer.body.id}/_history/1`);
  expect(answer.headers.etag).toBe('W/"1"');
  expect(answer.headers['last-modified']).toBe(new Date(answer.body.meta.lastUpdated).toUTCString());
  expect(answer.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
});

test("create ignores the body's id, version and time: the server assigns them (#create)", async () => {
  const meta = { versionId: '77', lastUpdated: '2001-01-01T00:00:00Z', tag: [{ system: 'urn:example:tags', code: 'kept' }] };
  const { status, body } = await ehr.post('MedicationStatement', lisinopril({ id: 'mine', meta }));
  expect(status).toBe(201);
  expect(body.id).toMatch(uuid);
  expect(body.meta).toMatchObject({ versionId: '1', tag: meta.tag });
  expect(body.meta.lastUpdated).not.toBe(meta.lastUpdated);
  expect((await ehr.get('MedicationStatement/mine')).status).toBe(404);
});

test('numbers come back as they were written (json.html: precision of decimals)', async () => {
  const text =
    '{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/mary"},"valueQuantity":{"value":1.00,"unit":"mg"}}';
  const made = await ehr.post('Observation', text);
  expect(made.status).toBe(201);
  const answer = await fetch(`${world.url}/fhir/Observation/${made.body.id}`, {
    headers: { Authorization: `Bearer ${await world.token('ehr-ima', 'system/*.cruds')}` },
  });
  expect(await answer.text()).toContain('"value":1.00');
});

test('read and vread give the version with its headers; an unknown version is 404 (#read, #vread)', async () => {
  const { body: first } = await ehr.post('MedicationStatement', lisinopril());
  const name = `MedicationStatement/${first.id}`;
  await ehr.put(name, { ...first, status: 'completed' });
  const current = await ehr.get(name);
  expect([current.status, current.headers.etag, current.body.status]).toEqual([200, 'W/"2"', 'completed']);
  const old = await ehr.get(`${name}/_history/1`);
  expect([old.status, old.headers.etag, old.body]).toEqual([200, 'W/"1"', first]);
  expect((await ehr.get(`${name}/_history/3`)).status).toBe(404);
  expect((await ehr.get(`${name}/_history/x`)).status).toBe(404);
  expect((await ehr.get('MedicationStatement/unknown/_history/1')).status).toBe(404);
});

test('HEAD answers as GET does, without the body (#read)', async () => {
  const { body } = await ehr.post('MedicationStatement', lisinopril());
  const get = await ehr.get(`MedicationStatement/${body.id}`);
  const head = await ehr.head(`MedicationStatement/${body.id}`);
  expect([head.status, head.body]).toEqual([200, {}]);
  for (const name of ['etag', 'last-modified', 'content-type', 'content-length']) expect([name, head.headers[name]]).toEqual([name, get.headers[name]]);
  const absent = await ehr.head('MedicationStatement/unknown');
  expect([absent.status, absent.body]).toEqual([404, {}]);
});

test('a conditional read of what has not changed is 304 without body (#cread)', async () => {
  const { body, headers } = await ehr.post('MedicationStatement', lisinopril());
  const name = `MedicationStatement/${body.id}`;
  for (const etag of ['W/"1"', '"1"', 'W/"8", W/"1"', '*']) {
    const answer = await ehr.get(name, { 'If-None-Match': etag });
    expect([etag, answer.status, answer.body, answer.headers.etag]).toEqual([etag, 304, {}, 'W/"1"']);
  }
  expect((await ehr.get(name, { 'If-None-Match': 'W/"2"' })).status).toBe(200);
  const modified = headers['last-modified']!;
  expect((await ehr.get(name, { 'If-Modified-Since': modified })).status).toBe(304);
  expect((await ehr.get(name, { 'If-Modified-Since': new Date(Date.parse(modified) - 1000).toUTCString() })).status).toBe(200);
  // RFC 9110 §13.1.3: a date that is none, or beside If-None-Match, does not count.
  expect((await ehr.get(name, { 'If-Modified-Since': 'yesterday' })).status).toBe(200);
  expect((await ehr.get(name, { 'If-Modified-Since': modified, 'If-None-Match': 'W/"2"' })).status).toBe(200);
});

test('update makes the next version; If-Match binds where it is given (#update, #concurrency)', async () => {
  const { body } = await ehr.post('MedicationStatement', lisinopril());
  const name = `MedicationStatement/${body.id}`;
  const second = await ehr.put(name, { ...body, status: 'completed' }, { 'If-Match': 'W/"1"' });
  expect([second.status, second.headers.etag, second.headers.location]).toEqual([200, 'W/"2"', undefined]);
  expect(second.body).toMatchObject({ id: body.id, status: 'completed', meta: { versionId: '2' } });
  const stale = await ehr.put(name, { ...body, status: 'stopped' }, { 'If-Match': 'W/"1"' });
  expect([stale.status, stale.body.issue[0].code]).toEqual([412, 'conflict']);
  expect(stale.body.issue[0].diagnostics).toContain('2');
  for (const malformed of ['2', 'W/2', '"2', 'W/"2", W/"3"']) {
    const answer = await ehr.put(name, body, { 'If-Match': malformed });
    expect([malformed, answer.status, answer.body.issue[0].code]).toEqual([malformed, 400, 'value']);
  }
  expect((await ehr.get(name)).body.meta.versionId).toBe('2');
  expect((await ehr.put(name, body, { 'If-Match': '*' })).status).toBe(200);
  expect((await ehr.put('MedicationStatement/not-yet', lisinopril({ id: 'not-yet' }), { 'If-Match': '*' })).status).toBe(412);
});

test('the id in the body must be the one in the address (#update)', async () => {
  const { body } = await ehr.post('MedicationStatement', lisinopril());
  const { id: _id, ...nameless } = body;
  for (const sent of [nameless, { ...body, id: 'other' }]) {
    const answer = await ehr.put(`MedicationStatement/${body.id}`, sent);
    expect([answer.status, answer.body.issue[0].expression]).toEqual([400, ['MedicationStatement.id']]);
  }
});

test("a PUT to an unknown id creates for a system client, and is 404 for a patient's app (#upsert, ACCESS §3)", async () => {
  const made = await ehr.put('MedicationStatement/chosen', lisinopril({ id: 'chosen' }));
  expect([made.status, made.body.id, made.headers.location]).toEqual([201, 'chosen', `${world.url}/fhir/MedicationStatement/chosen/_history/1`]);
  const refused = await mary.put('MedicationStatement/unknown', statement('5640', 'ibuprofen', { id: 'unknown' }));
  expect([refused.status, refused.body.issue[0].code]).toEqual([404, 'not-found']);
  expect((await ehr.get('MedicationStatement/unknown')).status).toBe(404);
});

test('delete is 204, then 410, and a PUT brings it back with 201 (#delete)', async () => {
  const { body } = await ehr.post('MedicationStatement', lisinopril());
  const name = `MedicationStatement/${body.id}`;
  const deleted = await ehr.delete(name);
  expect([deleted.status, deleted.body, deleted.headers.etag]).toEqual([204, {}, 'W/"2"']);
  const gone = await ehr.get(name);
  expect([gone.status, gone.body.issue[0].code, gone.headers.etag]).toEqual([410, 'deleted', 'W/"2"']);
  expect((await ehr.get(`${name}/_history/2`)).status).toBe(410);
  expect((await ehr.get(`${name}/_history/1`)).status).toBe(200);
  expect(resourcesOf((await ehr.get(`MedicationStatement?_id=${body.id}`)).body)).toEqual([]);
  // Deleting it again changes nothing.
  const again = await ehr.delete(name);
  expect([again.status, again.headers.etag]).toEqual([204, 'W/"2"']);
  const back = await ehr.put(name, body);
  expect([back.status, back.headers.etag]).toEqual([201, 'W/"3"']);
  expect((await ehr.get(name)).body).toMatchObject({ id: body.id, meta: { versionId: '3' } });
  expect((await ehr.delete('MedicationStatement/unknown')).status).toBe(404);
});

test('delete respects If-Match (#delete)', async () => {
  const { body } = await ehr.post('MedicationStatement', lisinopril());
  expect((await ehr.delete(`MedicationStatement/${body.id}`, { 'If-Match': 'W/"4"' })).status).toBe(412);
  expect((await ehr.delete(`MedicationStatement/${body.id}`, { 'If-Match': '4' })).status).toBe(400);
  expect((await ehr.delete(`MedicationStatement/${body.id}`, { 'If-Match': 'W/"1"' })).status).toBe(204);
});

test('history is newest first, has deletions, and is paged (#history)', async () => {
  const { body } = await ehr.post('MedicationStatement', lisinopril());
  const name = `MedicationStatement/${body.id}`;
  await ehr.put(name, { ...body, status: 'on-hold' });
  await ehr.delete(name);
  await ehr.put(name, body);
  const whole: HistoryBundle = (await ehr.get(`${name}/_history`)).body;
  expect(whole.type).toBe('history');
  expect(whole.entry.map(entry => [entry.request.method, entry.resource?.meta.versionId, entry.response.etag])).toEqual([
    ['PUT', '4', 'W/"4"'],
    ['DELETE', undefined, 'W/"3"'],
    ['PUT', '2', 'W/"2"'],
    ['POST', '1', 'W/"1"'],
  ]);
  expect(whole.entry.map(entry => entry.response.status.slice(0, 3))).toEqual(['201', '204', '200', '201']);
  expect(new Set(whole.entry.map(entry => entry.fullUrl))).toEqual(new Set([`${world.url}/fhir/${name}`]));
  expect(nextOf(whole)).toBeUndefined();

  const pages: HistoryBundle[] = [];
  for (let url: string | undefined = `${name}/_history?_count=3`; url !== undefined; url = nextOf(pages.at(-1)!)) pages.push((await ehr.get(url)).body);
  expect(pages.map(page => page.entry.map(entry => entry.response.etag))).toEqual([['W/"4"', 'W/"3"', 'W/"2"'], ['W/"1"']]);
  expect((await ehr.get('MedicationStatement/unknown/_history')).status).toBe(404);
  expect((await ehr.get(`${name}/_history?_count=none`)).status).toBe(400);
  expect((await ehr.get(`${name}/_history?_since=2020-01-01`)).body.issue[0].diagnostics).toContain('_since');
});

test('Prefer says what a write answers (#ops)', async () => {
  const minimal = await ehr.post('MedicationStatement', lisinopril(), { Prefer: 'return=minimal' });
  expect([minimal.status, minimal.body]).toEqual([201, {}]);
  expect(minimal.headers.location).toContain('/_history/1');
  const name = minimal.headers.location!.replace(/^.*\/fhir\//, '').replace(/\/_history.*$/, '');
  const whole = await ehr.put(name, lisinopril({ id: name.split('/')[1] }), { Prefer: 'return=representation' });
  expect([whole.status, whole.body.resourceType]).toEqual([200, 'MedicationStatement']);
  const outcome = await ehr.put(name, whole.body, { Prefer: 'return=OperationOutcome' });
  expect([outcome.status, outcome.body.resourceType, outcome.headers.etag]).toEqual([200, 'OperationOutcome', 'W/"3"']);
  // 204 has no body (#delete), so a deletion that is asked for an outcome is 200.
  const deleted = await ehr.delete(name, { Prefer: 'return=OperationOutcome' });
  expect([deleted.status, deleted.body.resourceType]).toEqual([200, 'OperationOutcome']);
  expect((await ehr.get('MedicationStatement?_count=1', { Prefer: 'return=minimal' })).body.resourceType).toBe('Bundle');
});

test('a conditional create is 201 for no match, 200 for one, 412 for several (#ccreate)', async () => {
  const condition = { 'If-None-Exist': 'identifier=urn:example:npi|1' };
  const made = await ehr.post('Practitioner', practitioner('1'), condition);
  expect(made.status).toBe(201);
  const found = await ehr.post('Practitioner', practitioner('1', { active: true }), condition);
  expect([found.status, found.body.id, found.body.active, found.headers.etag]).toEqual([200, made.body.id, undefined, 'W/"1"']);
  await ehr.post('Practitioner', practitioner('1'));
  const several = await ehr.post('Practitioner', practitioner('1'), condition);
  expect([several.status, several.body.issue[0].code]).toEqual([412, 'multiple-matches']);
  for (const wrong of ['', 'nonsense=1', '_count=1', 'organization.name=x']) {
    const answer = await ehr.post('Practitioner', practitioner('1'), { 'If-None-Exist': wrong });
    expect([wrong, answer.status]).toEqual([wrong, 400]);
  }
  expect((await ehr.get('Practitioner?identifier=urn:example:npi|1&_summary=count')).body.total).toBe(2);
});

test('thirty equal conditional creates at once make one resource (#ccreate)', async () => {
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => ehr.post('Practitioner', practitioner('30'), { 'If-None-Exist': 'identifier=urn:example:npi|30' })),
  );
  expect(answers.map(answer => answer.status).sort()).toEqual([...Array.from({ length: 29 }, () => 200), 201]);
  expect(new Set(answers.map(answer => answer.body.id)).size).toBe(1);
  expect((await ehr.get('Practitioner?identifier=urn:example:npi|30&_summary=count')).body.total).toBe(1);
});

test('thirty updates at once: each makes a version; with If-Match one wins (#concurrency)', async () => {
  const { body } = await ehr.post('Practitioner', practitioner('7'));
  const raced = await Promise.all(Array.from({ length: 30 }, () => ehr.put(`Practitioner/${body.id}`, body, { 'If-Match': 'W/"1"' })));
  expect(raced.map(answer => answer.status).sort()).toEqual([200, ...Array.from({ length: 29 }, () => 412)]);
  const free = await Promise.all(Array.from({ length: 10 }, () => ehr.put(`Practitioner/${body.id}`, body)));
  expect(new Set(free.map(answer => answer.status))).toEqual(new Set([200]));
  expect((await ehr.get(`Practitioner/${body.id}`)).headers.etag).toBe('W/"12"');
});

test('what a conditional create finds is read, and so is in the log (ACCESS §6)', async () => {
  const count = async (): Promise<number> => {
    let events = 0;
    for await (const link of world.app.store.chain()) events += link.events.length;
    return events;
  };
  await ehr.post('Practitioner', practitioner('9'));
  const before = await count();
  expect((await ehr.post('Practitioner', practitioner('9'), { 'If-None-Exist': 'identifier=urn:example:npi|9' })).status).toBe(200);
  expect(await count()).toBe(before + 1);
});

test('a write is not shown to a client without the scope to read (SMART: c and u without r)', async () => {
  const writer = world.as(await world.token('ehr-ima', 'system/MedicationStatement.cud'));
  const made = await writer.post('MedicationStatement', lisinopril(), { Prefer: 'return=representation' });
  expect([made.status, made.body, made.headers.etag]).toEqual([201, {}, 'W/"1"']);
  const name = made.headers.location!.replace(/^.*\/fhir\//, '').replace(/\/_history.*$/, '');
  const changed = await writer.put(name, lisinopril({ id: name.split('/')[1] }), { Prefer: 'return=representation' });
  expect([changed.status, changed.body]).toEqual([200, {}]);
  expect((await writer.get(name)).status).toBe(403);
  // The criterion would tell what there is, so it needs the scope to search.
  expect((await writer.post('MedicationStatement', lisinopril(), { 'If-None-Exist': 'status=active' })).status).toBe(403);
});
