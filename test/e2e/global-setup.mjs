// Builds the Kubernetes binaries before the first test, which takes minutes once; no test's time-out covers that.
import console from 'node:console';
import { ensureBinaries } from './build-binaries.mjs';

export default async function globalSetup() {
  await ensureBinaries({ log: (line) => console.error(line) });
}
