/** What HAMi's chart puts behind `scheduler` with its default values (spec §9.6), in its order. */

export interface ChartArguments {
  /** The chart's own addresses and files unless a test needs others. */
  readonly httpBind?: string;
  readonly metricsBindAddress?: string;
  readonly tlsDirectory?: string;
  readonly deviceConfigFile?: string;
  readonly namespace?: string;
  readonly extraArgs?: readonly string[];
}

export function chartArguments({
  httpBind = '0.0.0.0:443',
  metricsBindAddress = ':9395',
  tlsDirectory = '/tls',
  deviceConfigFile = '/device-config.yaml',
  namespace = 'kube-system',
  extraArgs = [],
}: ChartArguments): readonly string[] {
  return [
    `--http_bind=${httpBind}`,
    `--cert_file=${tlsDirectory}/tls.crt`,
    `--key_file=${tlsDirectory}/tls.key`,
    '--scheduler-name=hami-scheduler',
    `--metrics-bind-address=${metricsBindAddress}`,
    '--node-scheduler-policy=binpack',
    '--gpu-scheduler-policy=spread',
    '--force-overwrite-default-scheduler=true',
    `--device-config-file=${deviceConfigFile}`,
    '--leader-elect=true',
    '--leader-elect-resource-name=hami-scheduler',
    `--leader-elect-resource-namespace=${namespace}`,
    ...extraArgs,
  ];
}
