/** The only file that reads the environment of the process. It hands out a copy and knows none of the names. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables as they are now; later changes of the process do not show. */
export function processEnvironment(): Environment {
  return Object.freeze({ ...process.env });
}
