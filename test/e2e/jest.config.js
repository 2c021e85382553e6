/** The suite on real Kubernetes binaries: slow to start, so with long time-outs, and one file at a time. */
import base from '../../jest.config.js';

export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/e2e'],
  globalSetup: '<rootDir>/test/e2e/global-setup.mjs',
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
  testTimeout: 120_000,
};
