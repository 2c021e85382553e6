import { describe, expect, it } from '@jest/globals';
import { processEnvironment } from '../../src/config/environment.ts';

describe('processEnvironment', () => {
  it('is a copy that later changes do not reach', () => {
    const environment = processEnvironment();
    process.env['TESSERA_TEST_ONLY'] = 'later';
    try {
      expect(environment['TESSERA_TEST_ONLY']).toBeUndefined();
      expect(processEnvironment()['TESSERA_TEST_ONLY']).toBe('later');
      expect(Object.isFrozen(environment)).toBe(true);
    } finally {
      delete process.env['TESSERA_TEST_ONLY'];
    }
  });
});
