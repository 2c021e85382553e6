/**
 * What the published policies relate a node's free resources to: the largest node of the published cluster. Scores of
 * larger nodes leave 0..100, which does not matter to their order.
 */
export const largestCpu = 128_000;
/** Eight cards. */
export const largestCards = 8000;
