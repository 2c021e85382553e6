/** How a command ends when it cannot do what it was asked: one sentence on stderr and exit code 1. */
export function fail(message: string): void {
  console.error(`tessera: ${message}`);
  process.exitCode = 1;
}
