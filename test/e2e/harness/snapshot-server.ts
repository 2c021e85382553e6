/** `tessera serve --snapshot`: a server over what kubectl says of the cluster at this moment, and nothing else. */
import type { Cluster } from './cluster.ts';
import { isAnswering } from './https-probe.ts';
import { onFreePort } from './ports.ts';
import { Service } from './service.ts';
import { tesseraEntry } from './tessera.ts';

/** Takes the picture, as the documentation says, and serves it; answers where. Ends with the cluster. */
export async function serveSnapshotOf(cluster: Cluster, config: string): Promise<string> {
  const picture = await cluster.kubectl(['get', 'nodes,pods,resourcequotas', '-A', '-o', 'json']);
  const file = await cluster.folder.write('snapshot.json', picture);
  const { url, service } = await onFreePort(async (port) => {
    const own = `http://127.0.0.1:${port}`;
    const started = await Service.start({
      folder: cluster.folder,
      name: 'snapshot',
      command: process.execPath,
      args: [
        tesseraEntry,
        'serve',
        `--snapshot=${file}`,
        `--config=${config}`,
        `--listen=127.0.0.1:${port}`,
        '--insecure-http',
      ],
      isReady: () => isAnswering(`${own}/readyz`),
    });
    return { url: own, service: started };
  });
  cluster.adopt(service);
  return url;
}
