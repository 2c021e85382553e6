/** How kube-scheduler words that no node will do: nodes counted by exact reason, counts and reasons sorted as text. */
export function fitErrorMessage(nodeCount: number, reasons: Iterable<readonly string[]>): string {
  if (nodeCount === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  for (const reason of [...reasons].flat()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available:${parts.length === 0 ? '' : ` ${parts.join(', ')}.`}`;
}
