/** The list of scenarios, in the order in which they are best read. */
import { burst } from './burst.ts';
import { cordonedCard } from './cordon.ts';
import { familyScenarios } from './families.ts';
import { fitsNowhere } from './fits-nowhere.ts';
import { manyContainers } from './many-containers.ts';
import { migBurst, migLargestProfile, migSeveral, migUntilFull, migWholeCard } from './mig.ts';
import { numaBound } from './numa.ts';
import { oldPlugins, oldPluginsAndInitContainers } from './old-plugins.ts';
import { preferredAffinity } from './preferred-affinity.ts';
import { quotaLimits } from './quota.ts';
import { release } from './release.ts';
import { restart } from './restart.ts';
import type { Scenario } from './scenario.ts';
import { sharedPods } from './shared-pods.ts';
import { linkedCards } from './topology.ts';

export const scenarios: readonly Scenario[] = [
  sharedPods,
  manyContainers,
  preferredAffinity,
  fitsNowhere,
  release,
  numaBound,
  linkedCards,
  cordonedCard,
  quotaLimits,
  migUntilFull,
  migSeveral,
  migWholeCard,
  migLargestProfile,
  migBurst,
  oldPlugins,
  oldPluginsAndInitContainers,
  burst,
  restart,
  ...familyScenarios,
];
