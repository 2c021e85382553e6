/** How a resource is called in paths and messages. */
export interface ResourceName {
  /** Empty for the core group. */
  readonly group: string;
  readonly plural: string;
}
