/** How the cards of a machine are described for a test or a demo: as a number, or one by one. */
import { uuidOf } from '../nvml-uuid.ts';

export interface CardDescription {
  /** What the plugin calls the card; made from the node's name and the position where left out. */
  readonly id?: string;
  /** True where left out. */
  readonly healthy?: boolean;
}

/** So many cards of which nothing particular is known, or each of them. */
export type Cards<C extends CardDescription = CardDescription> = number | readonly C[];

export interface NumberedCard<C extends CardDescription> {
  readonly card: C;
  readonly index: number;
  /** As described, or a UUID that no other card has. */
  readonly id: string;
  readonly healthy: boolean;
}

/** @param prefix of the ids that are made */
export function numberedCards<C extends CardDescription>(
  cards: Cards<C>,
  { node, kind, prefix }: { readonly node: string; readonly kind: string; readonly prefix: string },
): readonly NumberedCard<C>[] {
  const each: readonly Partial<C>[] =
    typeof cards === 'number' ? Array.from({ length: cards }, () => ({})) : cards;
  return each.map((card, index) => ({
    // All that is left out of a card is optional.
    card: card as C,
    index,
    id: card.id ?? `${prefix}${uuidOf(`${node}/${kind}/${index}`)}`,
    healthy: card.healthy ?? true,
  }));
}
