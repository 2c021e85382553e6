export const manifestsFile: string;
export const serviceModeFile: string;
export const serviceModeValues: readonly string[];
export function chartDigest(): string;
export function renderManifests(helm: string, values?: readonly string[]): string;
