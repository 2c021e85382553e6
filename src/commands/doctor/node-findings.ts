/** What nodes publish and a server cannot use, and cards of which more is given out than they have. */
import { nodeReference } from '../../migration/subject.ts';
import type { NodeObject } from '../../model/cluster-objects.ts';
import { deviceKey } from '../../model/device.ts';
import { type Finding, finding } from './finding.ts';
import type { Subject } from './subject.ts';

export function nodeFindings(subject: Subject): readonly Finding[] {
  return subject.nodes.flatMap((node) => [
    ...registerFindings(node, subject),
    ...cardFindings(node, subject),
  ]);
}

function registerFindings(node: NodeObject, { vendors }: Subject): readonly Finding[] {
  const object = nodeReference(node);
  return vendors.flatMap((vendor): readonly Finding[] => {
    const discovery = vendor.discover(node);
    switch (discovery.kind) {
      case 'none':
        return [];
      case 'malformed':
        return [finding('RegisterMalformed', object, discovery.problem)];
      case 'unavailable':
        return [finding('DevicesUnavailable', object, discovery.detail)];
      case 'devices':
        return discovery.problem === undefined
          ? []
          : [finding('LinkScoresMalformed', object, discovery.problem)];
    }
  });
}

function cardFindings(node: NodeObject, { state }: Subject): readonly Finding[] {
  return (state.view(node.name)?.devices ?? []).flatMap(({ device, used }) => {
    const key = deviceKey(device.vendor, device.id);
    if (state.node(node.name)?.overCommitted([key]) === undefined) return [];
    const pods = state
      .entriesOf(node.name)
      .filter(({ load }) => load.usage.has(key))
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .sort();
    const amounts = `${used.slots} of ${device.slots} slots, ${used.memoryMiB} of ${device.memoryMiB} MiB, ${used.corePercent} of ${device.corePercent} units of compute`;
    const sentence = `card ${device.id} has given out ${amounts} (${pods.join(', ')})`;
    return [finding('CardOvercommitted', nodeReference(node), sentence)];
  });
}
