/** Which nodes `nodeLabelSelector` means, for a cluster that no API server selects from. */

/** Whether the labels have every `key=value` of the comma list; an empty one asks for nothing. */
export function hasLabels(labels: Readonly<Record<string, string>>, selector: string): boolean {
  if (selector === '') return true;
  return selector.split(',').every((pair) => {
    const cut = pair.indexOf('=');
    return labels[pair.slice(0, cut)] === pair.slice(cut + 1);
  });
}
