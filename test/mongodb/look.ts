import { MongoClient } from 'mongodb';
import { type Found, kindOf, reasonOf } from './server.ts';
import { hostsOf, withoutCredentials } from './url.ts';

/** Asks the server at a URL what it is. `name` is what a reason calls it by, since the URL may hold a password. */
export async function lookAt(url: string, name = `KINDRED_TEST_MONGODB (${hostsOf(url)})`): Promise<Found> {
  let client: MongoClient | undefined;
  try {
    client = new MongoClient(url, { serverSelectionTimeoutMS: 5000, connectTimeoutMS: 5000 });
    const admin = client.db('admin');
    const hello = await admin.command({ hello: 1 });
    const { version } = await admin.command({ buildInfo: 1 });
    return { url, what: kindOf(hello, version) };
  } catch (error) {
    return { reason: `${name} does not serve: ${withoutCredentials(reasonOf(error))}` };
  } finally {
    await client?.close();
  }
}
