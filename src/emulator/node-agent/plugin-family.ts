/**
 * What the node agent must know of the device plugin that it plays: the words of the wire protocol (spec §1). They are
 * written down here once more, on purpose: an agent that borrowed them from the scheduler could not tell when the
 * scheduler uses a wrong one.
 */
export interface PluginFamily {
  /** The vendor word of allocation entries. */
  readonly vendor: string;
  /** The extended resource that kubelet counts. */
  readonly countResource: string;
  /** Node annotation with the devices. */
  readonly registerAnnotation: string;
  /** Pod annotation from which the plugin takes what it hands out. */
  readonly toAllocateAnnotation: string;
}

export const nvidiaFamily: PluginFamily = {
  vendor: 'NVIDIA',
  countResource: 'nvidia.com/gpu',
  registerAnnotation: 'hami.io/node-nvidia-register',
  toAllocateAnnotation: 'hami.io/vgpu-devices-to-allocate',
};
