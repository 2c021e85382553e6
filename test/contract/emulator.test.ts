/** The contract against the emulator; `test/e2e/` runs it against a real API server. */
import { startEmulator } from '../../src/emulator/api/server.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { contractSuite } from './contract-suite.ts';

contractSuite('the emulator keeps the contract', async () => {
  const emulator = await startEmulator({ clock: systemClock, random: Math.random });
  return {
    baseUrl: emulator.url,
    forgetHistory: () => {
      emulator.store.forgetHistory();
      return Promise.resolve();
    },
    close: () => emulator.close(),
  };
});
