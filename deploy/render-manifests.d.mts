export const manifestsFile: string;
export const serviceModeFile: string;
export const serviceModeValues: readonly string[];
export const learningFile: string;
export const learningValues: readonly string[];
export const vendorCasesFile: string;
export interface VendorCase {
  readonly name: string;
  readonly values: {
    readonly config?: Readonly<Record<string, unknown>>;
    readonly deviceConfig?: string;
  };
}
export const vendorCases: readonly VendorCase[];
export function chartDigest(): string;
export function renderManifests(helm: string, values?: readonly string[]): string;
export function renderVendorCases(helm: string): string;
