/**
 * Processes of one pod see the pod's name as their hostname; leader election tells pods apart by it. On Linux a process
 * gets a hostname of its own in a UTS namespace, which takes root, or the right to make user namespaces.
 */

/** The command line that runs a command under a pod's hostname, as the same process. */
export function inPod(pod: string, command: string, args: readonly string[]) {
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const script = 'hostname "$0" && exec "$@"';
  return { command: 'unshare', args: [...asRoot, '--uts', 'sh', '-c', script, pod, command, ...args] };
}
