/** Runs a command of the run to its end, with its two outputs apart. */
import { spawn } from 'node:child_process';

export interface CommandOptions {
  /** What it reads from its standard input. */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Throws `CommandError` with what the command complained about when it fails. */
export function runCommand(
  command: string,
  args: readonly string[],
  { input = '', env }: CommandOptions = {},
): Promise<CommandOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'pipe', env: env ?? process.env });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve({ stdout, stderr });
      else
        reject(new CommandError(`${command} ${args.join(' ')} ended with ${code ?? 'a signal'}: ${stderr}`));
    });
    // A command that does not read its input closes it; its exit code says whether that was right.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** A command reported a failure; the message holds its own words. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
