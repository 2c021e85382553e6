/** The contract that the emulator keeps, against a real API server: where the two differ, this one is right. */
import { contractSuite } from '../contract/contract-suite.ts';
import { Cluster } from './harness/cluster.ts';

contractSuite('a real API server keeps the contract', async () => {
  const cluster = await Cluster.start({ apiServerArgs: ['--watch-cache-sizes=configmaps#0'] });
  return {
    baseUrl: cluster.url,
    headers: { authorization: `Bearer ${cluster.adminToken}` },
    authority: cluster.ca,
    forgetHistory: () => cluster.compact(),
    close: () => cluster.stop(),
  };
});
