/** The command line: one file per command beside this one, listed here. */
import { Command } from 'commander';
import { certsCommand } from './certs.ts';
import { defragmentCommand } from './defragment.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { fragmentationCommand } from './fragmentation.ts';
import { hamiSchedulerCommand } from './hami-scheduler.ts';
import { manifestsCommand } from './manifests.ts';
import { migrateCommand } from './migrate.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';
import { snapshotCommand } from './snapshot.ts';
import { version } from './version.ts';

export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = new Command('tessera')
    .description('Shares accelerators on Kubernetes: scheduler extender and admission webhook')
    .version(version)
    .showHelpAfterError();
  program.addCommand(serveCommand());
  program.addCommand(hamiSchedulerCommand());
  program.addCommand(demoCommand());
  program.addCommand(certsCommand());
  program.addCommand(manifestsCommand());
  program.addCommand(migrateCommand());
  program.addCommand(doctorCommand());
  program.addCommand(simulateCommand());
  program.addCommand(snapshotCommand());
  program.addCommand(fragmentationCommand());
  program.addCommand(defragmentCommand());
  await program.parseAsync(argv);
}
