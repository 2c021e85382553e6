/** Objects as they are stored: what the server sets, in which spelling, and what it takes apart. */
import { describe, expect, it } from '@jest/globals';
import type { Json } from './api-client.ts';
import {
  accepted,
  type Context,
  createNode,
  createPod,
  leasePath,
  nameOf,
  pathOf,
  podBody,
  podSpec,
  strategicPatch,
  textOf,
  valueOf,
  versionOf,
} from './contract-context.ts';

export function describeObjects(connected: Context): void {
  describe('objects', () => {
    it('get a UID, a version, a time of creation and their generated name', async () => {
      const pod = await createPod(connected());
      expect(pod).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
      expect(nameOf(pod)).toMatch(/^pod-[a-z0-9]{5}$/);
      expect(textOf(pod, 'metadata', 'uid')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(textOf(pod, 'metadata', 'creationTimestamp')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(versionOf(pod)).toMatch(/^[1-9]\d*$/);
      expect(valueOf(pod, 'metadata', 'namespace')).toBe(connected().namespace);
    });

    it('are numbered by one counter for all resources', async () => {
      const first = await createPod(connected());
      const body = { metadata: { generateName: 'map-' } };
      const second = accepted(
        await connected().client.send('POST', pathOf(connected(), 'configmaps'), { body }),
      );
      const third = await createPod(connected());
      const versions = [first, second, third].map((object) => Number(versionOf(object)));
      expect(versions).toEqual(versions.toSorted((one, other) => one - other));
      expect(new Set(versions).size).toBe(3);
    });

    it('pods are pending, with the defaults that schedulers and agents read', async () => {
      const pod = await createPod(connected());
      expect(pod).toMatchObject({
        metadata: { generation: 1 },
        spec: {
          schedulerName: 'default-scheduler',
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          priority: 0,
          tolerations: [
            { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', tolerationSeconds: 300 },
            { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', tolerationSeconds: 300 },
          ],
        },
        status: { phase: 'Pending', qosClass: 'BestEffort' },
      });
      expect(valueOf(pod, 'spec', 'nodeName')).toBeUndefined();
    });

    it.each([
      { name: 'nothing', limits: {}, requests: {}, want: 'BestEffort' },
      {
        name: 'only an extended resource',
        limits: { 'example.com/thing': 1 },
        requests: {},
        want: 'BestEffort',
      },
      { name: 'all it may have', limits: { cpu: '1', memory: '1Gi' }, requests: {}, want: 'Guaranteed' },
      { name: 'half', limits: { cpu: '1' }, requests: {}, want: 'Burstable' },
      {
        name: 'less than it may have',
        limits: { cpu: '1', memory: '1Gi' },
        requests: { cpu: '500m' },
        want: 'Burstable',
      },
    ])('pods that ask for $name are $want', async ({ limits, requests, want }) => {
      const containers = [{ name: 'main', image: 'registry.example/app:1', resources: { limits, requests } }];
      const pod = await createPod(connected(), { spec: { containers } });
      expect(valueOf(pod, 'status', 'qosClass')).toBe(want);
    });

    it('pods keep tolerations of their own in place of the default ones', async () => {
      const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' };
      const pod = await createPod(connected(), { spec: podSpec({ tolerations: [own] }) });
      expect(valueOf(pod, 'spec', 'tolerations')).toEqual([
        own,
        expect.objectContaining({ key: 'node.kubernetes.io/unreachable', tolerationSeconds: 300 }),
      ]);
    });

    it('keep what belongs to the server when they are written anew', async () => {
      const { client } = connected();
      const body = { metadata: { generateName: 'map-' }, data: { a: '1' } };
      const map = accepted(await client.send('POST', pathOf(connected(), 'configmaps'), { body }));
      const path = pathOf(connected(), 'configmaps', nameOf(map));
      const next = { metadata: { name: nameOf(map), labels: { a: '1' } }, data: { a: '2' } };
      const written = accepted(await client.send('PUT', path, { body: next }));
      expect(written).toMatchObject({
        metadata: {
          uid: textOf(map, 'metadata', 'uid'),
          creationTimestamp: textOf(map, 'metadata', 'creationTimestamp'),
          labels: { a: '1' },
        },
        data: { a: '2' },
      });
      expect(Number(versionOf(written))).toBeGreaterThan(Number(versionOf(map)));
    });

    it('webhook configurations get the defaults that decide how they are called', async () => {
      const { client } = connected();
      const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
      const rules = [
        { operations: ['CREATE'], apiGroups: ['absent.example'], apiVersions: ['v1'], resources: ['any'] },
      ];
      const service = { namespace: 'absent', name: 'absent' };
      const webhook = {
        name: 'any.absent.example',
        clientConfig: { service },
        rules,
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      };
      const body = { metadata: { generateName: 'contract-' }, webhooks: [webhook] };
      const configuration = accepted(await client.send('POST', path, { body }));
      expect(configuration).toMatchObject({
        metadata: { generation: 1 },
        webhooks: [
          {
            clientConfig: { service: { port: 443 } },
            failurePolicy: 'Fail',
            matchPolicy: 'Equivalent',
            reinvocationPolicy: 'Never',
            timeoutSeconds: 10,
            namespaceSelector: {},
            objectSelector: {},
            rules: [{ scope: '*' }],
          },
        ],
      });
      const patch = {
        body: { webhooks: [{ name: 'any.absent.example', timeoutSeconds: 5 }] },
        contentType: strategicPatch,
      };
      const patched = accepted(await client.send('PATCH', `${path}/${nameOf(configuration)}`, patch));
      expect(patched).toMatchObject({
        metadata: { generation: 2 },
        webhooks: [{ timeoutSeconds: 5, failurePolicy: 'Fail' }],
      });
      await client.send('DELETE', `${path}/${nameOf(configuration)}`);
    });

    it('pods cannot be created with a status', async () => {
      const body = { ...podBody({}), status: { phase: 'Running', message: 'made up' } };
      const pod = accepted(await connected().client.send('POST', pathOf(connected(), 'pods'), { body }));
      expect(valueOf(pod, 'status', 'phase')).toBe('Pending');
      expect(valueOf(pod, 'status', 'message')).toBeUndefined();
    });

    it('nodes keep the status they register with, and are born tainted', async () => {
      expect(await createNode(connected())).toMatchObject({
        spec: {
          taints: expect.arrayContaining([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]),
        },
        status: { capacity: { cpu: '8' }, allocatable: { cpu: '8' } },
      });
    });

    it.each([
      { name: 'thousands as a number', written: 3000, want: '3k' },
      { name: 'thousands as text', written: '3000', want: '3k' },
      { name: 'millions', written: 2_000_000, want: '2M' },
      { name: 'a power of two without suffix', written: 1024, want: '1024' },
      { name: 'a binary suffix', written: '1Gi', want: '1Gi' },
      { name: 'a binary suffix that can be larger', written: '1024Mi', want: '1Gi' },
      { name: 'a binary fraction', written: '0.5Gi', want: '512Mi' },
      { name: 'a scientific number', written: '1e3', want: '1e3' },
      { name: 'a decimal fraction of thousands', written: '1.5k', want: '1500' },
      { name: 'one', written: 1, want: '1' },
    ])('quantities are respelt: $name', async ({ written, want }) => {
      const body = podBody({ limits: { 'example.com/thing': written } });
      const pod = accepted(
        await connected().client.send('POST', `${pathOf(connected(), 'pods')}?dryRun=All`, { body }),
      );
      expect(valueOf(pod, 'spec', 'containers', 0, 'resources')).toEqual({
        limits: { 'example.com/thing': want },
        requests: { 'example.com/thing': want },
      });
    });

    it('are not stored by a dry run', async () => {
      const { client } = connected();
      const path = `${pathOf(connected(), 'pods')}?dryRun=All`;
      accepted(await client.send('POST', path, { body: podBody({ name: 'dry' }) }));
      expect(await client.send('GET', pathOf(connected(), 'pods', 'dry'))).toMatchObject({ status: 404 });
    });

    it('events written in one version are read in the other', async () => {
      const { client, namespace } = connected();
      const body = {
        metadata: { generateName: 'event-' },
        involvedObject: { kind: 'Pod', namespace, name: 'some-pod' },
        reason: 'FilteringFailed',
        message: 'no card is free',
        type: 'Warning',
        source: { component: 'tessera' },
        count: 2,
      };
      const event = accepted(await client.send('POST', pathOf(connected(), 'events'), { body }));
      const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events/${nameOf(event)}`;
      expect(accepted(await client.send('GET', path))).toMatchObject({
        apiVersion: 'events.k8s.io/v1',
        regarding: { kind: 'Pod', name: 'some-pod' },
        note: 'no card is free',
        deprecatedCount: 2,
      });
    });

    it('secrets take plain text and give base64', async () => {
      const body = { metadata: { generateName: 'key-' }, stringData: { key: 'plain' } };
      const { client } = connected();
      expect(accepted(await client.send('POST', pathOf(connected(), 'secrets'), { body }))).toMatchObject({
        type: 'Opaque',
        data: { key: 'cGxhaW4=' },
      });
    });

    it('leases change hands by compare-and-swap', async () => {
      const { client } = connected();
      const body = { metadata: { generateName: 'lease-' }, spec: { holderIdentity: 'one' } };
      const lease = accepted(await client.send('POST', leasePath(connected()), { body }));
      const path = leasePath(connected(), nameOf(lease));
      const heldBy = (holderIdentity: string, from: Json) => ({ ...from, spec: { holderIdentity } });
      const second = accepted(await client.send('PUT', path, { body: heldBy('two', lease) }));
      expect(valueOf(second, 'spec', 'holderIdentity')).toBe('two');
      expect(await client.send('PUT', path, { body: heldBy('three', lease) })).toMatchObject({ status: 409 });
      const blind = { metadata: { name: nameOf(lease) }, spec: { holderIdentity: 'four' } };
      expect(await client.send('PUT', path, { body: blind })).toMatchObject({ status: 422 });
      expect(accepted(await client.send('GET', path))).toEqual(second);
    });

    it('that are not pods go at once, with a Status that names them', async () => {
      const { client } = connected();
      const body = { metadata: { generateName: 'lease-' } };
      const lease = accepted(await client.send('POST', leasePath(connected()), { body }));
      const path = leasePath(connected(), nameOf(lease));
      expect(await client.send('DELETE', path)).toMatchObject({
        status: 200,
        body: {
          kind: 'Status',
          status: 'Success',
          details: {
            name: nameOf(lease),
            group: 'coordination.k8s.io',
            kind: 'leases',
            uid: textOf(lease, 'metadata', 'uid'),
          },
        },
      });
      expect(await client.send('GET', path)).toMatchObject({ status: 404 });
    });
  });
}
