/**
 * What the node agent must know of NVIDIA's device plugin: the words of the wire protocol (spec §1). They are written
 * down here once more, on purpose: an agent that borrowed them from the scheduler could not tell when the scheduler uses
 * a wrong one.
 */
export interface PluginFamily {
  /** The vendor word of allocation entries. */
  readonly vendor: string;
  /** The extended resource that kubelet counts. */
  readonly countResource: string;
  /** Node annotation with the devices. */
  readonly registerAnnotation: string;
  /** Node annotation with the links between them. */
  readonly linkScoreAnnotation: string;
  /** Node annotation in which old plugins say that they live. */
  readonly handshakeAnnotation: string;
  /** Pod annotation from which the plugin takes what it hands out. */
  readonly toAllocateAnnotation: string;
  /** Pod annotation with the MIG instances that it is to make, and has made. */
  readonly reservationAnnotation: string;
}

export const nvidiaFamily: PluginFamily = {
  vendor: 'NVIDIA',
  countResource: 'nvidia.com/gpu',
  registerAnnotation: 'hami.io/node-nvidia-register',
  linkScoreAnnotation: 'hami.io/node-nvidia-score',
  handshakeAnnotation: 'hami.io/node-handshake',
  toAllocateAnnotation: 'hami.io/vgpu-devices-to-allocate',
  reservationAnnotation: 'hami.io/vgpu-mig-allocations',
};
