/** The families beside NVIDIA: how each is described on a machine, and who makes its plugin. */
import { type AmdDescription, makeAmd } from './amd.ts';
import { type AscendDescription, makeAscend } from './ascend.ts';
import { type CambriconDescription, makeCambricon } from './cambricon.ts';
import { type HygonDescription, makeHygon } from './hygon.ts';
import { makeMetaxGpu, type MetaxGpuDescription } from './metax-gpu.ts';
import { makeMetaxSgpu, type MetaxSgpuDescription } from './metax-sgpu.ts';
import type { NodePlugin, PluginHost, PluginMaker } from './node-plugin.ts';

/** Cards of one family on a machine, e.g. `{ family: 'hygon', cards: 2 }`. */
export type AcceleratorDescription =
  | AmdDescription
  | AscendDescription
  | CambriconDescription
  | HygonDescription
  | MetaxGpuDescription
  | MetaxSgpuDescription;

type Family = AcceleratorDescription['family'];

const makers: {
  readonly [F in Family]: PluginMaker<Extract<AcceleratorDescription, { readonly family: F }>>;
} = {
  amd: makeAmd,
  ascend: makeAscend,
  cambricon: makeCambricon,
  hygon: makeHygon,
  'metax-gpu': makeMetaxGpu,
  'metax-sgpu': makeMetaxSgpu,
};

/** @param described the same family each time it is asked */
export function makeAccelerator(
  host: PluginHost,
  family: Family,
  described: () => AcceleratorDescription,
): NodePlugin {
  // Family and description belong together, which the type of the table cannot say.
  return (makers[family] as PluginMaker<AcceleratorDescription>)(host, described);
}
