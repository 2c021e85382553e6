/** The configuration of the server under test: all defaults, on free ports of loopback, without a certificate to keep. */
import type { TesseraConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { NodePolicy } from '../../src/model/request.ts';
import { required } from '../required.ts';

const anyPort = '127.0.0.1:0';

/** @param nodePolicy the default one where it is left out */
export function loadServerConfig(nodePolicy?: NodePolicy): TesseraConfig {
  const policy = nodePolicy === undefined ? {} : { nodePolicy };
  const flags = {
    ...policy,
    listen: anyPort,
    listenExtender: anyPort,
    listenMetrics: anyPort,
    shutdownGraceSeconds: 0,
  };
  return required(loadConfig({ environment: {}, flags })).config;
}
