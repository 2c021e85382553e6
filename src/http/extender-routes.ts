/**
 * The extender verbs: read the body, call the use case, answer in kube-scheduler's form. It reads nothing but the
 * status of a failed call, so every failure that it should know about is HTTP 200 with `Error` (spec §5.1). Preempt has
 * no `Error`: there a status other than 200 ends the attempt, and the pod is tried again.
 */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { BindAnswer } from '../scheduler/bind.ts';
import type { FilterAnswer } from '../scheduler/filter.ts';
import type { RefusedNodes } from '../scheduler/refused-nodes.ts';
import { reasonCodesOf, wireReason } from '../scheduler/refusal-text.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Log } from '../telemetry/logger.ts';
import type { BindResult, Metrics } from '../telemetry/metrics.ts';
import {
  type CandidateNodes,
  type ExtenderBindingResult,
  type ExtenderFilterResult,
  type HostPriorityList,
  parseBindingArgs,
  parseExtenderArgs,
} from '../wire/extender.ts';
import { filterResultText, hostPrioritiesText, type NodesFor } from '../wire/extender-text.ts';
import { podName } from '../model/cluster-objects.ts';
import { parsePreemptionArgs, preemptionResult } from '../wire/preemption.ts';
import { bodyFaults, isBodyMissing, jsonBody } from './body.ts';
import { endingUnlessLeader, endUnlessLeader, type Replica, withLeader } from './follower.ts';

export interface ExtenderRouteDeps extends Replica {
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly bodyLimitMiB: number;
  /** HAMi's counted reasons on the wire instead of words alone. */
  readonly hamiReasonCounters: boolean;
}

/** Where the verbs answer. */
export const extenderPaths = ['/filter', '/prioritize', '/bind', '/preempt'] as const;

export function extenderRoutes(deps: ExtenderRouteDeps): Router {
  const { metrics, bodyLimitMiB, log } = deps;
  const router = Router();
  router.post([...extenderPaths], endingUnlessLeader(deps), jsonBody(bodyLimitMiB), requireBody);
  router.post('/filter', (request, response) => {
    const end = metrics.filterSeconds.startTimer();
    filter(request, response, deps);
    end();
  });
  router.post('/prioritize', (request, response) => {
    const end = metrics.prioritizeSeconds.startTimer();
    prioritize(request, response, deps);
    end();
  });
  router.post('/bind', async (request, response) => {
    const end = metrics.bindSeconds.startTimer();
    await bind(request, response, deps);
    end();
  });
  router.post('/preempt', (request, response) => {
    const end = metrics.preemptSeconds.startTimer();
    preempt(request, response, deps);
    end();
  });
  const failures = {
    '/filter': errorResult,
    '/prioritize': unranked,
    '/bind': bindResult,
    '/preempt': undefined,
  };
  for (const [route, failure] of Object.entries(failures)) {
    router.use(
      route,
      bodyFaults(bodyLimitMiB, ({ status, message, oversized }, _error, _request, response) => {
        metrics.malformed.inc({ kind: 'body' });
        if (oversized) metrics.oversized.inc();
        if (failure === unranked) metrics.prioritizeFailed.inc();
        log.warn({ route, reason: message }, 'request body refused');
        // kube-scheduler reads the status alone; the text is for whoever looks at the connection.
        if (failure === undefined) fail(response, status, message);
        else if (oversized) response.status(status).json(errorResult(message));
        else response.json(failure(message));
      }),
    );
  }
  return router;
}

/** Prioritize has no place for an error: no scores. */
function unranked(): HostPriorityList {
  return [];
}

function bindResult(Error: string): ExtenderBindingResult {
  return { Error };
}

function filter(request: Request, response: Response, deps: ExtenderRouteDeps): void {
  const { scheduler, metrics, log } = deps;
  const args = parseExtenderArgs(request.body);
  if (!args.ok) {
    metrics.malformed.inc({ kind: 'body' });
    response.json(errorResult(args.problem));
    return;
  }
  const { pod, candidates } = args.value;
  const answer = scheduler.filter(args.value);
  if (answer.kind === 'error') {
    if (answer.code === 'OutsideSample') metrics.outsideSample.inc();
    log.warn(
      { pod: podName(pod), podUid: pod.uid, code: answer.code, reason: answer.message },
      'filter failed',
    );
    response.json(errorResult(answer.message));
    return;
  }
  const text = filterText(answer, candidates, deps.hamiReasonCounters);
  countRefusals(answer.refused, metrics);
  log.debug(
    { pod: podName(pod), podUid: pod.uid, feasible: answer.feasible.length, refused: answer.refused.size },
    'filtered',
  );
  sendJsonText(response, text);
}

/**
 * A refused node is unresolvable unless the preempt verb could make room there: evicting pods by in-tree rules alone
 * cannot help a pod that waits for a card.
 */
function filterText(
  { feasible, refused, resolvable }: FilterAnswer & { kind: 'answered' },
  candidates: CandidateNodes,
  counters: boolean,
): string {
  const failed: NodesFor[] = [];
  const unresolvable: NodesFor[] = [];
  for (const [refusal, names] of refused.groups()) {
    const reason = wireReason(refusal, counters);
    const isResolvable = (name: string) => resolvable.has(name);
    if (resolvable.size > 0) failed.push({ reason, names: names.filter(isResolvable) });
    const others = resolvable.size > 0 ? names.filter((name) => !isResolvable(name)) : names;
    unresolvable.push({ reason, names: others });
  }
  return filterResultText({
    Nodes: candidates.form === 'objects' ? { items: keptObjects(candidates, feasible) } : null,
    NodeNames: candidates.form === 'names' ? feasible : null,
    failed,
    unresolvable,
    Error: '',
  });
}

function keptObjects(
  { raw, nodes }: CandidateNodes & { form: 'objects' },
  feasible: readonly string[],
): readonly unknown[] {
  const kept = new Set(feasible);
  return raw.filter((_, index) => kept.has(nodes[index]?.name ?? ''));
}

function countRefusals(refused: RefusedNodes, metrics: Metrics): void {
  for (const [refusal, { length }] of refused.groups()) {
    for (const reason of reasonCodesOf(refusal)) metrics.refusals.inc({ reason }, length);
  }
}

/** Plain text goes out in one piece with its head, without being copied into a buffer first. */
function sendJsonText(response: Response, text: string): void {
  const isAscii = Buffer.byteLength(text) === text.length;
  if (!isAscii) {
    response.type('json').send(text);
    return;
  }
  response.type('json').setHeader('Content-Length', text.length);
  response.end(text, 'latin1');
}

function errorResult(Error: string): ExtenderFilterResult {
  return { Nodes: null, NodeNames: null, FailedNodes: null, FailedAndUnresolvableNodes: null, Error };
}

function prioritize(
  request: Request,
  response: Response,
  { scheduler, metrics, log }: ExtenderRouteDeps,
): void {
  const args = parseExtenderArgs(request.body);
  if (!args.ok) {
    metrics.malformed.inc({ kind: 'body' });
    metrics.prioritizeFailed.inc();
    log.warn({ reason: args.problem }, 'prioritize failed');
    response.json(unranked());
    return;
  }
  const answer = scheduler.prioritize(args.value);
  if (answer.kind === 'failed') {
    metrics.prioritizeFailed.inc();
    log.warn({ pod: podName(args.value.pod), reason: answer.message }, 'prioritize failed');
  }
  sendJsonText(response, hostPrioritiesText(answer.priorities));
}

async function bind(request: Request, response: Response, deps: ExtenderRouteDeps): Promise<void> {
  const { scheduler, metrics, log } = deps;
  const args = parseBindingArgs(request.body);
  if (!args.ok) {
    metrics.malformed.inc({ kind: 'body' });
    response.json(bindResult(args.problem));
    return;
  }
  const caller = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) caller.abort();
  });
  if (response.destroyed) caller.abort();
  const { uid, node } = args.value;
  const answer = await scheduler.bind(args.value, caller.signal);
  // The leadership may have ended while the bind was waiting.
  endUnlessLeader(deps, response);
  response.json(bindResult(answer.ok ? '' : withLeader(answer.message, deps)));
  // Nobody needs to wait for what is told of it.
  metrics.binds.inc({ result: bindResultOf(answer) });
  const what = { pod: podName(args.value), podUid: uid, node };
  if (answer.ok) {
    metrics.bindGateWaitSeconds.observe(answer.waitedMs / 1000);
    log.info({ ...what, allocation: answer.allocation, waitedMs: answer.waitedMs }, 'bound');
  } else {
    log.warn({ ...what, code: answer.code, reason: answer.message }, 'bind refused');
  }
}

function bindResultOf(answer: BindAnswer): BindResult {
  if (answer.ok) return 'bound';
  return answer.code === 'WriteFailed' || answer.code === 'OutcomeUnknown' ? 'failed' : 'refused';
}

function preempt(request: Request, response: Response, { scheduler, metrics, log }: ExtenderRouteDeps): void {
  const args = parsePreemptionArgs(request.body);
  if (!args.ok) {
    metrics.malformed.inc({ kind: 'body' });
    log.warn({ reason: args.problem }, 'preempt failed');
    fail(response, 400, args.problem);
    return;
  }
  const { pod, victims } = args.value;
  const what = { pod: podName(pod), podUid: pod.uid };
  const answer = scheduler.preempt(args.value);
  if (answer.kind === 'error') {
    log.warn({ ...what, code: answer.code, reason: answer.message }, 'preempt failed');
    fail(response, 503, answer.message);
    return;
  }
  log.info({ ...what, asked: victims.size, candidates: answer.victims.size }, 'preemption considered');
  response.json(preemptionResult(answer.victims));
}

/** kube-scheduler reads the status alone; the text is for whoever looks at the connection. */
function fail(response: Response, status: number, message: string): void {
  response.status(status).type('text/plain').send(message);
}

const requireBody: RequestHandler = (request, response, next) => {
  if (isBodyMissing(request)) response.status(400).type('text/plain').send('Please send a request body');
  else next();
};
