import { TestEnvironment } from 'jest-environment-node';

interface Block {
  mode?: string | null;
  readonly children: readonly Block[];
}

/**
 * Where the suites run that need a MongoDB server. Without one their tests count as skipped; where a server was asked for that is not there, they fail:
 * they would only seem to have passed.
 */
export default class MongodbEnvironment extends TestEnvironment {
  override async setup(): Promise<void> {
    await super.setup();
    (this.global as { kindredEngine?: string }).kindredEngine = 'mongodb';
    const { KINDRED_TEST_MONGODB: asked, KINDRED_TEST_MONGODB_URL: url, KINDRED_TEST_MONGODB_REASON: reason } = process.env;
    if (url === undefined && asked && asked !== 'off') throw new Error(reason);
  }

  async handleTestEvent(event: { readonly name: string }, state: { readonly rootDescribeBlock: Block }): Promise<void> {
    if (event.name === 'run_start' && process.env.KINDRED_TEST_MONGODB_URL === undefined) skip(state.rootDescribeBlock);
  }
}

function skip(block: Block): void {
  block.mode = 'skip';
  // A test has no children.
  for (const child of block.children ?? []) skip(child);
}
