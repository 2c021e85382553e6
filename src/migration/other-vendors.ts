/**
 * Device families that HAMi shares and the configuration judged does not manage. What is managed is asked of the vendors'
 * own rows, so a family that is switched on there disappears from here by itself.
 */
import type { TextMap } from '../model/cluster-objects.ts';
import { countOf } from '../model/quantity.ts';
import { resourceNames, type Vendor } from '../vendors/vendor.ts';
import { type Finding, finding } from './finding.ts';
import { nodeReference, podReference, type Subject } from './subject.ts';

/** Annotations by which HAMi's plugins publish devices, and by which its scheduler hands them out (spec Appendix B). */
const publishing =
  /^hami\.io\/node-(.+-)?register(-.+)?$|^(metax-tech\.com|volcano\.sh)\/node-.+(devices|register)$/;
const handingOut = /^hami\.io\/.+-allocated$/;

/** Domains of the resources that HAMi's chart gives to its scheduler (spec §12.2). */
const domains = new Set([
  'nvidia.com',
  'cambricon.com',
  'hygon.com',
  'metax-tech.com',
  'huawei.com',
  'mthreads.com',
  'enflame.com',
  'kunlunxin.com',
  'aws.amazon.com',
  'iluvatar.ai',
  'vastaitech.com',
  'birentech.com',
  'amd.com',
]);

export function otherVendorFindings({ picture, livePods, vendors }: Subject): readonly Finding[] {
  const managed = managedNames(vendors);
  const findings: Finding[] = [];
  for (const node of picture.nodes) {
    const keys = strangers(node.annotations, publishing, managed);
    const resources = strangeResources(node.allocatable, managed);
    if (keys.length > 0) {
      findings.push(
        finding(
          'VendorNotManaged',
          nodeReference(node),
          `publishes devices that would not be managed: ${keys.join(', ')}`,
        ),
      );
    } else if (resources.length > 0) {
      findings.push(finding('ResourceNotManaged', nodeReference(node), `offers ${resources.join(', ')}`));
    }
  }
  for (const { pod } of livePods) {
    const keys = strangers(pod.annotations, handingOut, managed);
    if (keys.length === 0) continue;
    findings.push(
      finding(
        'VendorNotManaged',
        podReference(pod),
        `holds devices that would not be managed: ${keys.join(', ')}`,
      ),
    );
  }
  return findings;
}

function managedNames(vendors: readonly Vendor[]): ReadonlySet<string> {
  return new Set(
    vendors.flatMap((vendor) => [
      ...vendor.nodeAnnotations,
      vendor.annotations.allocated,
      vendor.annotations.toAllocate,
      ...resourceNames(vendor),
    ]),
  );
}

function strangers(annotations: TextMap, pattern: RegExp, managed: ReadonlySet<string>): readonly string[] {
  return Object.keys(annotations)
    .filter((key) => pattern.test(key) && !managed.has(key))
    .sort();
}

function strangeResources(allocatable: TextMap, managed: ReadonlySet<string>): readonly string[] {
  return Object.keys(allocatable)
    .filter(
      (name) => domains.has(name.split('/')[0] ?? '') && !managed.has(name) && countOf(allocatable[name]) > 0,
    )
    .sort();
}
