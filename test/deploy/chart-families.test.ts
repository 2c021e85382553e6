/**
 * What the chart knows of vendors is what the vendors say of themselves, and what it makes of that is what
 * `tessera manifests` prints for the same configuration. UPDATE_GOLDEN=1 rewrites the chart's file (then prettier), and
 * deploy/render-manifests.mjs what helm makes of it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import {
  chartDigest,
  type VendorCase,
  vendorCases,
  vendorCasesFile,
} from '../../deploy/render-manifests.mjs';
import { manifestParts, manifestText } from '../../src/commands/manifest-lists.ts';
import type { TesseraConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { makeVendors, vendorFamilies, type VendorsConfig } from '../../src/vendors/vendors.ts';
import { makeTemporaryFiles } from '../config/temporary-files.ts';
import { type ChartFamily, chartFamilies } from './chart-families.ts';
import { manifest, type Manifest, manifests } from './manifests.ts';

const write = makeTemporaryFiles();
const familiesFile = new URL('../../deploy/chart/files/vendors.json', import.meta.url);
const golden = readFileSync(vendorCasesFile, 'utf8');

describe('deploy/chart/files/vendors.json', () => {
  it('says of every family what the family says of itself', () => {
    const want = JSON.parse(JSON.stringify(chartFamilies())) as unknown;
    if (process.env['UPDATE_GOLDEN'] === '1')
      writeFileSync(familiesFile, `${JSON.stringify(want, null, 2)}\n`);
    expect(JSON.parse(readFileSync(familiesFile, 'utf8'))).toEqual(want);
  });

  it('has every family, in the order in which they are configured', () => {
    const families = JSON.parse(readFileSync(familiesFile, 'utf8')) as readonly ChartFamily[];
    expect(families.map(({ block }) => block)).toEqual(Object.keys(vendorFamilies));
    for (const { scope } of families) expect(scope.vendors.length).toBeGreaterThan(0);
  });
});

/** The lists as the chart writes them. */
function listsOf(among: readonly Manifest[]) {
  const [webhook] = manifest('MutatingWebhookConfiguration', 'tessera', among)['webhooks'] as readonly [
    { readonly matchConditions?: readonly unknown[] },
  ];
  const { data } = manifest('ConfigMap', 'tessera-kube-scheduler', among) as unknown as {
    readonly data: Readonly<Record<string, string>>;
  };
  const { extenders } = parse(data['kube-scheduler.yaml']!) as {
    readonly extenders: readonly [{ readonly managedResources: readonly unknown[] }];
  };
  return {
    matchConditions: webhook.matchConditions ?? [],
    managedResources: extenders[0].managedResources,
  };
}

function configOf({ config = {}, deviceConfig }: VendorCase['values']): TesseraConfig {
  const file = deviceConfig === undefined ? {} : { deviceConfigFile: write('device.yaml', deviceConfig) };
  const loaded = loadConfig({ environment: {}, flags: { ...config, ...file } });
  if (!loaded.ok) throw new Error(loaded.problem);
  return loaded.value.config;
}

function textFor(values: VendorCase['values']): string {
  return manifestText(makeVendors(configOf(values)), manifestParts);
}

/** What helm made of one case. */
function renderedCase(name: string): readonly Manifest[] {
  const [, text] = golden.split(`# Case: ${name}\n`);
  if (text === undefined) throw new Error(`no case ${name} in ${vendorCasesFile}`);
  const [own] = text.split('# Case: ');
  return parseAllDocuments(own!)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null);
}

describe('the lists of the chart', () => {
  it('are made by the chart as it is; if not, run deploy/render-manifests.mjs', () => {
    expect(/^# Chart: sha256:(.*)$/m.exec(golden)?.[1]).toBe(chartDigest());
  });

  it('are those of `tessera manifests` with the defaults', () => {
    expect(listsOf(manifests)).toEqual(parse(textFor({})));
  });

  it.each(vendorCases)('are those of `tessera manifests` with $name', ({ name, values }) => {
    expect(listsOf(renderedCase(name))).toEqual(parse(textFor(values)));
  });

  it.each(Object.keys(vendorFamilies))('are compared with vendors of %s among them', (block) => {
    const withVendors = vendorCases.filter(({ values }) => {
      const blocks = Object.entries(configOf(values).vendors);
      const others = blocks.map(([name, config]) => [
        name,
        { ...config, enabled: name === block && config.enabled },
      ]);
      return makeVendors({ vendors: Object.fromEntries(others) as VendorsConfig }).length > 0;
    });
    expect(withVendors).not.toEqual([]);
  });
});
