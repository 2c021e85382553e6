/** Every policy that the simulator knows, by name. A policy is one file beside this one and one line here. */
import { parseDevicePolicy } from '../../vendors/policy-annotations.ts';
import type { MakePolicy, PolicyContext, PolicyName, SimulatedPolicy } from '../policy.ts';
import { makeBestFit } from './best-fit.ts';
import { makeDotProduct } from './dot-product.ts';
import { makeFgd } from './fgd.ts';
import { makeFragmentation } from './fragmentation.ts';
import { makeGpuClustering } from './gpu-clustering.ts';
import { makeGpuPacking } from './gpu-packing.ts';
import { makeRandom } from './random.ts';

const makers: Readonly<Record<PolicyName, MakePolicy>> = {
  fragmentation: makeFragmentation,
  binpack: wordPolicy('binpack'),
  spread: wordPolicy('spread'),
  fgd: makeFgd,
  bestfit: makeBestFit,
  dotprod: makeDotProduct,
  gpupacking: makeGpuPacking,
  gpuclustering: makeGpuClustering,
  random: makeRandom,
};

/** For one run: a policy may draw from the context's chance and remember which pods it has seen placed. */
export function makePolicy(name: PolicyName, context: PolicyContext): SimulatedPolicy {
  return makers[name](context);
}

/** The policies of the configuration that are but a word; it holds for nodes and for the cards of a node. */
function wordPolicy(name: 'binpack' | 'spread'): MakePolicy {
  const devicePolicy = parseDevicePolicy(name);
  return ({ defaults }) => ({
    name,
    rules: { ...defaults, nodePolicy: name, devicePolicy },
    choice: 'highest',
  });
}
