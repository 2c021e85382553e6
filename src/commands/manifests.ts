/**
 * `tessera manifests`: the two lists by which the cluster's own objects know the managed devices, for a configuration
 * that the chart did not install. Reads the configuration and prints; no cluster is asked.
 */
import { Command, Option } from 'commander';
import { processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import { makeVendors } from '../vendors/vendors.ts';
import { fail } from './fail.ts';
import { type ManifestPart, manifestParts, manifestText } from './manifest-lists.ts';

interface ManifestsFlags {
  readonly config?: string;
  readonly deviceConfigFile?: string;
  readonly part?: ManifestPart;
}

export function manifestsCommand(): Command {
  return new Command('manifests')
    .description(
      "Print the webhook's matchConditions and kube-scheduler's managedResources for a configuration",
    )
    .option('--config <file>', 'the configuration that the server will have')
    .option('--device-config-file <file>', "HAMi's device-config.yaml that the server will have")
    .addOption(new Option('--part <part>', 'one of the two alone').choices(manifestParts))
    .action(printManifests);
}

function printManifests({ config: file, deviceConfigFile, part }: ManifestsFlags): void {
  const loaded = loadConfig({
    ...(file === undefined ? {} : { file }),
    environment: processEnvironment(),
    flags: { deviceConfigFile },
  });
  if (!loaded.ok) {
    fail(`manifests: ${loaded.problem}`);
    return;
  }
  const { config, warnings } = loaded.value;
  for (const warning of warnings) console.error(`tessera: ${warning}`);
  const vendors = makeVendors(config);
  if (vendors.length === 0) {
    fail(
      'manifests: no vendor is enabled, and with an empty list kube-scheduler sends every pod of the cluster',
    );
    return;
  }
  process.stdout.write(manifestText(vendors, part === undefined ? manifestParts : [part]));
}
