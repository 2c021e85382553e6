/** `npm run bench -- <name> [settings]`: runs one benchmark, prints its table, and writes its figures where told to. */
import { makeProgram } from './program.ts';

await makeProgram().parseAsync();
