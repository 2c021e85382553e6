/** Certificates and keys as PEM text, the only form in which they cross this room's walls. */
export interface PemPair {
  /** One certificate, or a chain with the leaf first. */
  readonly certificate: string;
  readonly key: string;
}
