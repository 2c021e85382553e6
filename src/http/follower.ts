/**
 * What the extender does where others of its kind lead. A follower answers everything it can answer rightly, and ends
 * the connection with it: kube-scheduler keeps its connections for as long as they last, and only a new one goes to
 * the leader, through the Service that selects it.
 */
import type { RequestHandler, Response } from 'express';

export interface Replica {
  /** `leader`, another word, or undefined while it is not known; where left out, there are no others. */
  readonly role?: () => string | undefined;
  /** What the leader calls itself, where that is known. */
  readonly leader?: () => string | undefined;
}

/** Ends the connection after the answer, unless we lead. */
export function endUnlessLeader(replica: Replica, response: Response): void {
  if (isFollower(replica)) response.set('connection', 'close');
}

export function endingUnlessLeader(replica: Replica): RequestHandler {
  return (_request, response, next) => {
    endUnlessLeader(replica, response);
    next();
  };
}

/** A message of a follower, with the leader's name where that is known. */
export function withLeader(message: string, replica: Replica): string {
  const leader = isFollower(replica) ? replica.leader?.() : undefined;
  return leader === undefined ? message : `${message}; the lease is held by ${leader}`;
}

function isFollower({ role }: Replica): boolean {
  return role !== undefined && role() !== 'leader';
}
