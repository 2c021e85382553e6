/**
 * The groups of cards that nodes have, made when the first node with such cards is met and found again by a card's kind.
 * Nodes of one shape share their groups.
 */
import { compareText, type Device, type VendorKey } from '../../model/device.ts';
import type { NodeView } from '../../model/node-view.ts';
import type { CardGroup } from './card-group.ts';
import { type KindKey, kindKey } from './supply.ts';

export class GroupBook<G extends CardGroup> {
  readonly #make: (vendor: VendorKey, devices: readonly Device[]) => G;
  readonly #groups = new Map<string, G>();

  /** @param make gets one device of each kind */
  constructor(make: (vendor: VendorKey, devices: readonly Device[]) => G) {
    this.#make = make;
  }

  /** One per family that has cards on the node. */
  of({ devices }: NodeView): readonly G[] {
    const families: { readonly vendor: VendorKey; readonly kinds: Map<KindKey, Device> }[] = [];
    for (const { device } of devices) {
      // Cards of a family stand together in a view.
      let family = families.at(-1);
      if (family?.vendor !== device.vendor) {
        family = { vendor: device.vendor, kinds: new Map() };
        families.push(family);
      }
      const key = kindKey(device);
      if (!family.kinds.has(key)) family.kinds.set(key, device);
    }
    return families.map(({ vendor, kinds }) => this.#groupOf(vendor, kinds));
  }

  #groupOf(vendor: VendorKey, kinds: ReadonlyMap<KindKey, Device>): G {
    const [first] = kinds.keys();
    const key =
      kinds.size === 1 && first !== undefined ? first : [...kinds.keys()].sort(compareText).join('\n');
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = this.#make(vendor, [...kinds.values()]);
      this.#groups.set(key, group);
    }
    return group;
  }
}
