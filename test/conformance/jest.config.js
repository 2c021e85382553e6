/** The conformance suite in full: every variant, seed and policy. `npm test` runs a part of it. */
import base from '../../jest.config.js';

process.env.TESSERA_CONFORMANCE ??= 'all';

export default { ...base, rootDir: '../..', roots: ['<rootDir>/test/conformance'] };
