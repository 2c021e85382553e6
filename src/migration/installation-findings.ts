/** What is installed around the cards: schedulers, their names, leases and webhooks, and HAMi's configuration of devices. */
import { parseYaml } from '../config/yaml-text.ts';
import { isMapping } from '../wire/mapping.ts';
import type { ClusterPicture } from './cluster-picture.ts';
import { deviceConfigFindings, deviceConfigKey, ownNameFindings } from './device-config-findings.ts';
import { type Finding, finding, type ObjectReference } from './finding.ts';
import { type LivePod, podReference, type Subject } from './subject.ts';

/** Names that HAMi's charts and ours give (spec §12.1, §12.3; deploy/chart). */
const hamiScheduler = 'hami-scheduler';
const hamiWebhook = 'vgpu.hami.io';
const ownWebhook = 'pods.tessera.io';
const componentLabel = 'app.kubernetes.io/component';
const defaultScheduler = 'default-scheduler';

export function installationFindings(subject: Subject): readonly Finding[] {
  return [
    ...schedulerFindings(subject),
    ...webhookFindings(subject),
    ...nameFindings(subject),
    ...leaseFindings(subject),
    ...subject.picture.configMaps.flatMap((map) => deviceConfigFindings(map, subject.config.vendors)),
    ...ownNameFindings(subject.config.vendors),
  ];
}

function schedulerFindings({ livePods }: Subject): readonly Finding[] {
  const schedulers = livePods.filter(({ pod }) => pod.labels[componentLabel] === hamiScheduler);
  const foreign = schedulers.filter((live) => !isOurs(live));
  if (foreign.length === 0) return [];
  const ours = livePods.filter(isOurs).map(({ pod }) => `${pod.namespace}/${pod.name}`);
  if (ours.length === 0) {
    return foreign.map(({ pod, images }) =>
      finding('HamiSchedulerRunning', podReference(pod), `a scheduler of HAMi (${images.join(', ')})`),
    );
  }
  return foreign.map(({ pod, images }) => {
    const sentence = `a scheduler of HAMi (${images.join(', ')}) beside Tessera (${ours.sort().join(', ')})`;
    return finding('MixedOperation', podReference(pod), sentence);
  });
}

/** Told by the image, because HAMi's chart labels whatever scheduler it is given. */
function isOurs({ images }: LivePod): boolean {
  return images.some((image) => /^tessera([:@]|$)/.test(image.slice(image.lastIndexOf('/') + 1)));
}

function webhookFindings({ picture }: Subject): readonly Finding[] {
  const having = (webhook: string) =>
    picture.webhooks.filter(({ webhooks }) => webhooks.some(({ name }) => name === webhook));
  const [hami, own] = [having(hamiWebhook), having(ownWebhook)];
  const findings: Finding[] = [];
  for (const { name } of hami) {
    const object = webhookReference(name);
    const [other] = own;
    if (other === undefined) {
      findings.push(finding('HamiWebhookPresent', object, `holds HAMi's webhook ${hamiWebhook}`));
      continue;
    }
    const first = name < other.name ? name : other.name;
    const sentence = `holds HAMi's webhook beside ours in ${other.name}; ${first} is called first`;
    findings.push(finding('TwoWebhooks', object, sentence));
  }
  for (const { name, webhooks } of new Set([...hami, ...own])) {
    const lax = webhooks.filter((webhook) => webhook.ignoresFailures).map((webhook) => webhook.name);
    if (lax.length === 0) continue;
    findings.push(
      finding('WebhookIgnoresFailures', webhookReference(name), `${lax.join(', ')}: failurePolicy Ignore`),
    );
  }
  return findings;
}

function webhookReference(name: string): ObjectReference {
  return { kind: 'MutatingWebhookConfiguration', name };
}

function nameFindings({ livePods, config, picture }: Subject): readonly Finding[] {
  const counts = new Map<string, { bound: number; waiting: number }>();
  for (const { pod, asks } of livePods) {
    if (!asks || pod.schedulerName === '') continue;
    const count = counts.get(pod.schedulerName) ?? { bound: 0, waiting: 0 };
    counts.set(pod.schedulerName, count);
    if (pod.nodeName === undefined) count.waiting += 1;
    else count.bound += 1;
  }
  for (const name of profileNames(picture)) {
    if (!counts.has(name)) counts.set(name, { bound: 0, waiting: 0 });
  }
  return [...counts].flatMap(([name, { bound, waiting }]) => {
    const object = { kind: 'Scheduler', name };
    const sentence = `named by ${bound} bound and ${waiting} waiting pods that ask for cards`;
    if (config.schedulerNames.includes(name)) return [finding('SchedulerNameServed', object, sentence)];
    // Bound by it long ago, such pods need no scheduler any more, and new ones come to our webhook.
    if (name === defaultScheduler && waiting === 0) return [];
    return [finding('SchedulerNameUnserved', object, sentence)];
  });
}

/** The names that HAMi's kube-scheduler serves, from the configuration that its chart wrote. */
function profileNames({ configMaps }: ClusterPicture): readonly string[] {
  return configMaps
    .filter(({ data }) => data[deviceConfigKey] === undefined)
    .flatMap(({ data }) => Object.values(data))
    .flatMap(profilesIn);
}

function profilesIn(text: string): readonly string[] {
  const documents = text.includes('KubeSchedulerConfiguration') ? parseYaml(text, 'go') : undefined;
  if (documents?.ok !== true) return [];
  return documents.value.flatMap((document) => {
    const profiles = isMapping(document) ? document['profiles'] : undefined;
    if (!Array.isArray(profiles)) return [];
    return profiles.flatMap((profile: unknown) => {
      const name = isMapping(profile) ? profile['schedulerName'] : undefined;
      return typeof name === 'string' ? [name] : [];
    });
  });
}

function leaseFindings({ picture, config, livePods, nowMs }: Subject): readonly Finding[] {
  const names = new Set([
    hamiScheduler,
    ...config.schedulerNames,
    ...livePods.map(({ pod }) => pod.schedulerName),
  ]);
  names.delete(defaultScheduler);
  return picture.leases
    .filter(({ name, holder, heldUntilMs }) => names.has(name) && holder !== '' && heldUntilMs > nowMs)
    .map(({ namespace, name, holder }) =>
      finding('LeaseHeld', { kind: 'Lease', namespace, name }, `held by ${holder}`),
    );
}
