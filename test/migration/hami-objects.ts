/** Objects as a cluster has them that HAMi schedules. */
import { makePod, type PodFields, type PodJson } from '../support/kubernetes-objects.ts';

/** Running on node n1, bound by HAMi's scheduler with the given value of its allocation. */
export function hamiPod(allocated: string | undefined, fields: PodFields = {}): PodJson {
  const { nodeName = 'n1', annotations } = fields;
  const allocation = {
    'hami.io/vgpu-node': nodeName,
    'hami.io/vgpu-devices-to-allocate': ';;',
    'hami.io/vgpu-devices-allocated': allocated ?? '',
    'hami.io/bind-phase': 'success',
  };
  return makePod({
    schedulerName: 'hami-scheduler',
    phase: 'Running',
    ...fields,
    nodeName,
    annotations: { ...(allocated === undefined ? {} : allocation), ...annotations },
  });
}

/** One card in the register of a plugin; what a case does not name is a sound card of 40 GiB. */
export function registerOf(...cards: readonly Readonly<Record<string, unknown>>[]): {
  readonly 'hami.io/node-nvidia-register': string;
} {
  const sound = {
    count: 10,
    devmem: 40960,
    devcore: 100,
    type: 'NVIDIA A100',
    mode: 'hami-core',
    health: true,
  };
  const values = cards.map((card, index) => ({ index, ...sound, ...card }));
  return { 'hami.io/node-nvidia-register': JSON.stringify(values) };
}

export function webhookConfiguration(name: string, webhook: string, failurePolicy = 'Fail'): object {
  return {
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [{ name: webhook, failurePolicy }],
  };
}

/** A scheduler's pod with the label that HAMi's chart gives it. */
export function schedulerPod(image: string, name = 'hami-scheduler-0'): object {
  const pod = makePod({
    name,
    namespace: 'kube-system',
    nodeName: 'n0',
    phase: 'Running',
    schedulerName: 'default-scheduler',
    labels: { 'app.kubernetes.io/component': 'hami-scheduler' },
  });
  return { ...pod, spec: { ...pod.spec, containers: [{ name: 'vgpu-scheduler-extender', image }] } };
}

export function configMap(data: Readonly<Record<string, string>>, name = 'hami-scheduler-device'): object {
  return { kind: 'ConfigMap', metadata: { namespace: 'kube-system', name }, data };
}

export function quotaObject(name: string, hard: Readonly<Record<string, string>>): object {
  return { kind: 'ResourceQuota', metadata: { namespace: 'team', name }, spec: { hard } };
}
