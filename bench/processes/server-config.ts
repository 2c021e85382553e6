/** The configuration of the server under test: all defaults, on free ports of loopback, without a certificate to keep. */
import type { TesseraConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { required } from '../required.ts';

const anyPort = '127.0.0.1:0';

export function loadServerConfig(): TesseraConfig {
  const flags = { listen: anyPort, listenExtender: anyPort, listenMetrics: anyPort, shutdownGraceSeconds: 0 };
  return required(loadConfig({ environment: {}, flags })).config;
}
