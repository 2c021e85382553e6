export const manifestsFile: string;
export function chartDigest(): string;
export function renderManifests(helm: string): string;
