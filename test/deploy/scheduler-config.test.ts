/** Every file in scheduler-config/ against the server: its routes, its vendors, its defaults. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { createApp } from '../../src/http/app.ts';
import { extenderRoutes } from '../../src/http/extender-routes.ts';
import { leaseTimes } from '../../src/kubernetes/lease-election.ts';
import type { Scheduler } from '../../src/scheduler/scheduler.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { manifest, serviceMode } from './manifests.ts';

const directory = new URL('../../scheduler-config/', import.meta.url);

interface Extender {
  readonly urlPrefix: string;
  readonly filterVerb: string;
  readonly prioritizeVerb: string;
  readonly bindVerb: string;
  readonly enableHTTPS: boolean;
  readonly httpTimeout: string;
  readonly managedResources: readonly { readonly name: string; readonly ignoredByScheduler: boolean }[];
  readonly tlsConfig?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

interface SchedulerConfiguration {
  readonly apiVersion: string;
  readonly kind: string;
  readonly profiles: readonly { readonly schedulerName: string; readonly [field: string]: unknown }[];
  readonly extenders: readonly [Extender];
  readonly [field: string]: unknown;
}

interface ConfigMap {
  readonly data: Readonly<Record<string, string>>;
}

function read(name: string): SchedulerConfiguration {
  return parse(readFileSync(new URL(name, directory), 'utf8')) as SchedulerConfiguration;
}

const loaded = loadConfig({ environment: {}, flags: {} });
if (!loaded.ok) throw new Error(loaded.problem);
const { config } = loaded.value;

const app = createApp(
  [
    extenderRoutes({
      scheduler: {} as Scheduler,
      metrics: makeMetrics(),
      log: makeLogger({ level: 'silent' }),
      bodyLimitMiB: 1,
      hamiReasonCounters: false,
    }),
  ],
  makeLogger({ level: 'silent' }),
);

const files = readdirSync(directory)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => ({ name }));

describe.each(files)('$name', ({ name }) => {
  const written = read(name);
  const [extender] = written.extenders;

  it('is a configuration of kube-scheduler with one extender', () => {
    expect(written).toMatchObject({
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      percentageOfNodesToScore: 100,
    });
    expect(written.extenders).toHaveLength(1);
  });

  it('calls verbs that the extender answers, and no other', async () => {
    const { filterVerb, prioritizeVerb, bindVerb } = extender;
    for (const verb of [filterVerb, prioritizeVerb, bindVerb]) {
      // Nobody else minds that there is no body.
      expect((await request(app).post(`/${verb}`)).status).toBe(400);
    }
    if (name !== 'tessera-preempt.yaml') expect(extender).not.toHaveProperty('preemptVerb');
  });

  it('manages the resources of the vendors, and leaves only those that nodes advertise visible', () => {
    const want = makeVendors(config).flatMap(({ resources }) => {
      const { count, ...amounts } = resources;
      const ignored = Object.values(amounts).map((name) => ({ name, ignoredByScheduler: true }));
      return [{ name: count, ignoredByScheduler: false }, ...ignored];
    });
    expect(extender.managedResources).toEqual(want);
  });

  it('names the scheduler and the time-out that the server expects', () => {
    const names = written.profiles.map(({ schedulerName }) => schedulerName);
    expect(names).toEqual([...config.schedulerNames, ...(name === 'move-in.yaml' ? ['hami-scheduler'] : [])]);
    expect(written).toMatchObject({ leaderElection: { resourceName: names[0] } });
    expect(extender.httpTimeout).toBe(`${config.extenderTimeoutSeconds}s`);
  });

  it('has a leader that is replaced within 15 s, by the times that the server campaigns with, too', () => {
    const { leaseDuration, renewDeadline, retryPeriod } = written['leaderElection'] as Record<string, string>;
    expect({ leaseDuration, renewDeadline, retryPeriod }).toEqual({
      leaseDuration: `${leaseTimes.durationMs / 1000}s`,
      renewDeadline: `${leaseTimes.renewDeadlineMs / 1000}s`,
      retryPeriod: `${leaseTimes.retryPeriodMs / 1000}s`,
    });
    expect(leaseTimes).toEqual({ durationMs: 10_000, renewDeadlineMs: 6000, retryPeriodMs: 2000 });
  });

  it('lets packing win: nothing in its profile spreads pods by itself', () => {
    const disabled = ['NodeResourcesFit', 'NodeResourcesBalancedAllocation', 'ImageLocality'];
    for (const { schedulerName, ...settings } of written.profiles) {
      expect({ schedulerName, ...settings }).toEqual({
        schedulerName,
        plugins: { score: { disabled: disabled.map((plugin) => ({ name: plugin })) } },
        pluginConfig: [
          { name: 'PodTopologySpread', args: { defaultingType: 'List', defaultConstraints: [] } },
        ],
      });
    }
    expect(extender['weight']).toBe(5);
  });

  it('sends names only and fails closed', () => {
    expect(extender).toMatchObject({ nodeCacheCapable: true, ignorable: false });
  });
});

describe('tessera.yaml', () => {
  it('calls the address at which the server answers plain HTTP', () => {
    const [extender] = read('tessera.yaml').extenders;
    expect(extender).toMatchObject({ urlPrefix: `http://${config.listenExtender}`, enableHTTPS: false });
  });

  it('is what the manifests give to kube-scheduler', () => {
    const { data } = manifest('ConfigMap', 'tessera-kube-scheduler') as unknown as ConfigMap;
    expect(parse(data['kube-scheduler.yaml']!)).toEqual(read('tessera.yaml'));
  });
});

describe('tessera-preempt.yaml', () => {
  it('differs only in the verb that asks about evictions, which the extender answers', async () => {
    const { extenders, ...rest } = read('tessera-preempt.yaml');
    const { extenders: others, ...wantRest } = read('tessera.yaml');
    expect(rest).toEqual(wantRest);
    expect(extenders).toEqual([{ ...others[0], preemptVerb: 'preempt' }]);
    expect((await request(app).post('/preempt')).status).toBe(400);
  });
});

describe('move-in.yaml', () => {
  it('differs only in the profile for the pods of HAMi', () => {
    const { profiles, ...rest } = read('move-in.yaml');
    const { profiles: own, ...wantRest } = read('tessera.yaml');
    expect(rest).toEqual(wantRest);
    expect(profiles.slice(0, -1)).toEqual(own);
  });
});

describe('tessera-service.yaml', () => {
  it('differs only in the way to the server: its Service, over TLS', () => {
    const { extenders, ...rest } = read('tessera-service.yaml');
    const { extenders: others, ...wantRest } = read('tessera.yaml');
    const { tlsConfig, ...extender } = extenders[0];
    const service = manifest('Service', 'tessera-extender', serviceMode).metadata;
    expect(rest).toEqual(wantRest);
    expect(extender).toEqual({
      ...others[0],
      urlPrefix: `https://${service.name}.${service.namespace!}.svc:443`,
      enableHTTPS: true,
    });
    expect(Object.keys(tlsConfig!)).toEqual(['caFile', 'certFile', 'keyFile']);
  });
});
