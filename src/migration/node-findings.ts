/** What the nodes tell: whether their devices can be read, which plugins they run, and what waits in their annotations. */
import type { NodeObject } from '../model/cluster-objects.ts';
import { deviceKey } from '../model/device.ts';
import { isCut } from '../model/mig.ts';
import { cordonedIds } from '../state/inventory.ts';
import { isReported } from '../vendors/handshake.ts';
import type { Discovery, Vendor } from '../vendors/vendor.ts';
import { type Finding, finding } from './finding.ts';
import { nodeReference, type Subject } from './subject.ts';

/** The longest value that a label may have; `hami.io/vgpu-node` holds a node's name (Q16). */
const longestLabel = 63;

export function nodeFindings({ picture, nodes, vendors, state }: Subject): readonly Finding[] {
  const followed = new Set(nodes.map(({ name }) => name));
  return picture.nodes.flatMap((node) => {
    const found = vendors.map((vendor) => ({ vendor, discovery: vendor.discover(node) }));
    if (found.every(({ discovery }) => discovery.kind === 'none')) return [];
    if (!followed.has(node.name)) {
      return [
        finding('NodeNotSelected', nodeReference(node), 'has devices and is left out by nodeLabelSelector'),
      ];
    }
    return [
      ...found.flatMap(({ vendor, discovery }) => discoveryFindings(node, vendor, discovery)),
      ...vendors.flatMap((vendor) => versionFindings(node, vendor)),
      ...nameFindings(node),
      ...cardFindings(node, state),
    ];
  });
}

function discoveryFindings(node: NodeObject, vendor: Vendor, discovery: Discovery): readonly Finding[] {
  const object = nodeReference(node);
  switch (discovery.kind) {
    case 'none':
      return [];
    case 'malformed':
      return [finding('RegisterMalformed', object, discovery.problem)];
    case 'unavailable':
      return [finding('NodeWithoutPlugin', object, discovery.detail)];
    case 'devices': {
      const { devices, problem } = discovery;
      const cut = devices.filter((device) => isCut(device) && device.migProfiles === undefined);
      const cordoned = [...cordonedIds(node, vendor)].sort();
      const known = new Set(devices.map(({ id }) => id));
      const [there, gone] = [cordoned.filter((id) => known.has(id)), cordoned.filter((id) => !known.has(id))];
      return [
        ...(problem === undefined ? [] : [finding('LinkScoresMalformed', object, problem)]),
        ...(cut.length === 0
          ? []
          : [
              finding(
                'MigProfilesMissing',
                object,
                `${cut.length} of ${devices.length} ${vendor.key} cards are in MIG mode and publish no migProfiles, as plugins up to v2.9 do`,
              ),
            ]),
        ...(there.length === 0
          ? []
          : [finding('CardsCordoned', object, `cordoned cards: ${there.join(', ')}`)]),
        ...(gone.length === 0
          ? []
          : [
              finding(
                'CardOfNoNode',
                object,
                `${vendor.cordonAnnotation ?? ''} names cards it has not: ${gone.join(', ')}`,
              ),
            ]),
      ];
    }
  }
}

function versionFindings(node: NodeObject, vendor: Vendor): readonly Finding[] {
  const object = nodeReference(node);
  const implied = vendor.pluginVersion?.(node.annotations);
  const findings: Finding[] = [];
  if (implied !== undefined) {
    const code = implied.beforeV28 ? 'PluginBeforeV28' : 'PluginVersion';
    findings.push(finding(code, object, `device plugin ${implied.versions} (${implied.because})`));
  }
  const { handshakeAnnotation: key } = vendor;
  const handshake = key === undefined ? undefined : node.annotations[key];
  if (key !== undefined && handshake !== undefined && !isReported(handshake)) {
    const state = handshake.split('_')[0] ?? '';
    findings.push(finding('HandshakeLeftOver', object, `${key} is ${state}, written by HAMi's scheduler`));
  }
  return findings;
}

function nameFindings(node: NodeObject): readonly Finding[] {
  if (node.name.length <= longestLabel) return [];
  return [
    finding(
      'NodeNameLong',
      nodeReference(node),
      `its name has ${node.name.length} characters, a label may have ${longestLabel}`,
    ),
  ];
}

/** Cards on which more is used than they have, and MIG cards of which nobody knows what is free. */
function cardFindings(node: NodeObject, state: Subject['state']): readonly Finding[] {
  const object = nodeReference(node);
  const entries = state.entriesOf(node.name);
  const namesOf = (
    key: string,
    on: (load: (typeof entries)[number]['load']) => { has(key: string): boolean },
  ) =>
    entries
      .filter(({ load }) => on(load).has(key))
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .sort()
      .join(', ');
  return (state.view(node.name)?.devices ?? []).flatMap(({ device, used, unclear }) => {
    const key = deviceKey(device.vendor, device.id);
    const findings: Finding[] = [];
    if (state.node(node.name)?.overCommitted([key]) !== undefined) {
      const amounts = [
        `${used.slots} of ${device.slots} slots`,
        `${used.memoryMiB} of ${device.memoryMiB} MiB`,
        `${used.corePercent} of ${device.corePercent} units of compute`,
      ].join(', ');
      const pods = namesOf(key, (load) => load.usage);
      findings.push(
        finding('CardOvercommitted', object, `card ${device.id} has given out ${amounts} (${pods})`),
      );
    }
    if (unclear) {
      const pods = namesOf(key, (load) => (isCut(device) ? load.uncut : load.slices));
      findings.push(
        finding(
          'MigCardClosed',
          object,
          `card ${device.id}: nobody knows which slices of it are taken by ${pods}`,
        ),
      );
    }
    return findings;
  });
}
