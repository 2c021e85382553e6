/** What happened to a pod, as a phrase after its name; the same words on the live screen and in plain lines. */
import { podName } from '../../model/cluster-objects.ts';
import type { BoardChange, BoardPod } from './pod-board.ts';
import type { FrameChange } from './frame.ts';

const defaultNamespace = 'default';

/** The name, with its namespace where that is not the one of a bare `kubectl get pods`. */
export function shownName({ pod }: BoardPod): string {
  return pod.namespace === defaultNamespace ? pod.name : podName(pod);
}

/** The reason without the sentence's beginning, which is the same for all who wait. */
export function shortReason(message: string): string {
  return message.replace(/^0\/\d+ nodes are available: /, '').replace(/\.$/, '');
}

export function changeText({ change, entry }: BoardChange): Pick<FrameChange, 'text' | 'tone'> {
  const { pod, asks, cards, reason } = entry;
  const wanted = asks === '' ? '' : ` (${asks})`;
  switch (change) {
    case 'waits':
      return { text: `waits${wanted}: ${shortReason(reason)}`, tone: 'notice' };
    case 'placed':
      return {
        text: `→ ${pod.nodeName ?? ''}${cards === '' ? '' : `, ${cards}`}${wanted}`,
        tone: 'good',
      };
    case 'finished':
      return { text: `finished on ${pod.nodeName ?? ''}`, tone: 'faint' };
    case 'failed':
      return { text: `failed: ${reason}`, tone: 'bad' };
    case 'removed':
      return {
        text:
          pod.nodeName === undefined ? 'taken back before it had a place' : `deleted from ${pod.nodeName}`,
        tone: 'faint',
      };
  }
}
