/**
 * What must never happen between containers on one card beside using more of it than there is: its family tells by the
 * kinds of their shares. A sentence for each, for the book of what was handed out.
 */
import type { Share } from '../../model/allocation.ts';
import type { ContainerRole } from '../../model/container-role.ts';

/**
 * Why a share of this kind cannot join one of another on a card, in a few words; undefined: it can. Asked of shares of
 * one family alone.
 */
export type Clash = (kind: string, other: string) => string | undefined;

/** A share in the hands of a container. */
export interface HeldShare {
  readonly share: Share;
  readonly podUid: string;
  readonly role: ContainerRole;
}

/** @param held what other containers of the node have, those of the same pod among them */
export function sharingFaults(
  given: {
    readonly podUid: string;
    readonly role: ContainerRole;
    readonly shares: readonly Share[];
    readonly clash: Clash;
  },
  held: readonly HeldShare[],
): readonly string[] {
  const { podUid, role, shares, clash } = given;
  return shares.flatMap((share, position) => {
    const own = shares.slice(0, position).map((other) => ({ share: other, podUid, role }));
    return [...held.filter((other) => !takeTurns(given, other)), ...own].flatMap((other) => {
      if (other.share.vendor !== share.vendor || other.share.deviceId !== share.deviceId) return [];
      const reason = clash(share.kind ?? '', other.share.kind ?? '');
      return reason === undefined
        ? []
        : [`device ${share.deviceId}, pod ${podUid} beside ${other.podUid}: ${reason}`];
    });
  });
}

/** A pod's init container has ended before its successors begin. */
function takeTurns(
  one: { readonly podUid: string; readonly role: ContainerRole },
  other: { readonly podUid: string; readonly role: ContainerRole },
): boolean {
  return one.podUid === other.podUid && (one.role === 'init' || other.role === 'init');
}
