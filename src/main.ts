#!/usr/bin/env node
/** The command line's entry. It looks at the Node version before any import that would crash on an old one. */
const oldestNode = [22, 19] as const;

function isNodeTooOld(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
}

if (isNodeTooOld()) {
  console.error(
    `tessera needs Node ${oldestNode.join('.')} or later, this is ${process.versions.node}; npm scripts of this project bring their own.`,
  );
  process.exitCode = 1;
} else {
  const { runProgram } = await import('./commands/program.ts');
  await runProgram(process.argv);
}
