/** The list of scenarios, in the order in which they are best read. */
import { burst } from './burst.ts';
import { fitsNowhere } from './fits-nowhere.ts';
import { manyContainers } from './many-containers.ts';
import { preferredAffinity } from './preferred-affinity.ts';
import { release } from './release.ts';
import { restart } from './restart.ts';
import type { Scenario } from './scenario.ts';
import { sharedPods } from './shared-pods.ts';

export const scenarios: readonly Scenario[] = [
  sharedPods,
  manyContainers,
  preferredAffinity,
  fitsNowhere,
  release,
  burst,
  restart,
];
