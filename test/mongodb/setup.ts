import { held, startKeeper } from './keeping.ts';
import { lookAt } from './look.ts';
import { findServer } from './server.ts';

/** Finds the server once for a whole run in which a suite needs it. The workers that run the suites inherit the environment. */
export default async function setUp(): Promise<void> {
  delete process.env.KINDRED_TEST_MONGODB_URL;
  delete process.env.KINDRED_TEST_MONGODB_REASON;
  const found = await findServer(process.env.KINDRED_TEST_MONGODB, { look: lookAt, start: startKeeper });
  held.found = found;
  if ('url' in found) process.env.KINDRED_TEST_MONGODB_URL = found.url;
  else process.env.KINDRED_TEST_MONGODB_REASON = found.reason;
}
