/** Runs kubectl as a user would. */
import { type CommandOptions, type CommandOutput, runCommand } from './command.ts';

/** What kubectl printed; throws `CommandError` with what it complained about when it fails. */
export type Kubectl = (args: readonly string[], options?: CommandOptions) => Promise<string>;

/** The same with its standard error, where the API server's warnings appear. */
export type KubectlOutput = (args: readonly string[], options?: CommandOptions) => Promise<CommandOutput>;

export function kubectlFor(command: string, kubeconfig: string): KubectlOutput {
  return (args, options) => runCommand(command, [`--kubeconfig=${kubeconfig}`, ...args], options);
}
