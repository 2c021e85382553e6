/** The fault suite in full: what `npm test` runs of it, and ten thousand pods over random mixes. */
import base from '../../jest.config.js';

export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/faults'],
  testMatch: ['**/*.test.ts', '**/*.faults.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
