const common = {
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' }, experimental: { keepImportAttributes: true } }, module: { type: 'es6' } },
    ],
  },
};
/** Suites about MongoDB alone. */
const mongodb = ['**/contract/mongodb.test.ts', '**/store/mongodb-*.test.ts'];
/** Suites that are run on MongoDB too. */
const both = [
  'http/story',
  'http/attacks',
  'http/references',
  'http/oracles',
  'http/log',
  'http/tokens',
  'http/search',
  'http/search-exact',
  'http/bundles',
  'http/interactions',
]
  .concat(['includes', 'places', 'parts', 'pages', 'hidden', 'terms'].map(name => `http/search-${name}`))
  .concat([
    'http/kill',
    'access/cases',
    'interaction/races',
    'property/agreement',
    'property/search-is-read',
    'oracle/oracle',
    'http/reindex',
    'interaction/reindex',
    'cli/reindex',
    'auth/*',
    'account/*',
    'http/app-consent',
    'http/who-can-see',
    'http/preview',
  ])
  .map(name => `**/${name}.test.ts`);

export default {
  reporters: ['default', '<rootDir>/test/mongodb/reporter.ts'],
  projects: [
    { ...common, displayName: 'SQLite', testMatch: ['**/*.test.ts', ...mongodb.map(name => `!${name}`)] },
    {
      ...common,
      displayName: 'MongoDB',
      testMatch: [...mongodb, ...both],
      testEnvironment: '<rootDir>/test/mongodb/environment.ts',
      globalSetup: '<rootDir>/test/mongodb/setup.ts',
      globalTeardown: '<rootDir>/test/mongodb/teardown.ts',
    },
  ],
};
