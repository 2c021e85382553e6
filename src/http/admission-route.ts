/** `POST /webhook`: an AdmissionReview in, one in the same version out. A review that is none is HTTP 400. */
import { Router } from 'express';
import { admit, type AdmissionAnswer, type AdmissionDeps } from '../admission/admit.ts';
import type { Log } from '../telemetry/logger.ts';
import type { AdmissionResult, Metrics } from '../telemetry/metrics.ts';
import {
  type AdmissionRequest,
  type AdmissionResponse,
  type AdmissionReviewReply,
  encodePatch,
  parseAdmissionReview,
} from '../wire/admission-review.ts';
import { bodyFaults, isBodyMissing, jsonBody } from './body.ts';

export interface AdmissionRouteDeps {
  readonly admission: AdmissionDeps;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly bodyLimitMiB: number;
}

export function admissionRoute({ admission, metrics, log, bodyLimitMiB }: AdmissionRouteDeps): Router {
  const router = Router();
  router.post('/webhook', jsonBody(bodyLimitMiB), (request, response) => {
    const end = metrics.admissionSeconds.startTimer();
    const review = isBodyMissing(request)
      ? ({ ok: false, problem: 'Please send a request body' } as const)
      : parseAdmissionReview(request.body);
    if (!review.ok) {
      metrics.malformed.inc({ kind: 'body' });
      metrics.admissions.inc({ result: 'failed' });
      response.status(400).json({ error: review.problem });
      return;
    }
    const answer = admit(review.value, admission);
    metrics.admissions.inc({ result: resultOf(answer) });
    if (!answer.allowed) {
      log.info(
        { namespace: review.value.namespace, uid: review.value.uid, reason: answer.message },
        'pod denied',
      );
    }
    response.json(replyTo(review.value, answer));
    end();
  });
  router.use(
    '/webhook',
    bodyFaults(bodyLimitMiB, ({ status, message, oversized }, _error, _request, response) => {
      metrics.malformed.inc({ kind: 'body' });
      if (oversized) metrics.oversized.inc();
      metrics.admissions.inc({ result: 'failed' });
      log.warn({ reason: message }, 'admission review refused');
      response.status(status).json({ error: message });
    }),
  );
  return router;
}

function resultOf(answer: AdmissionAnswer): AdmissionResult {
  if (!answer.allowed) return 'denied';
  if (answer.warnings.length > 0) return 'warned';
  return answer.patch.length > 0 ? 'mutated' : 'allowed';
}

function replyTo({ version, uid }: AdmissionRequest, answer: AdmissionAnswer): AdmissionReviewReply {
  return { apiVersion: version, kind: 'AdmissionReview', response: responseTo(uid, answer) };
}

function responseTo(uid: string, answer: AdmissionAnswer): AdmissionResponse {
  if (!answer.allowed) {
    const { code, message } = answer;
    return {
      uid,
      allowed: false,
      status: { code, reason: code === 403 ? 'Forbidden' : 'BadRequest', message },
    };
  }
  const { message, warnings, patch } = answer;
  return {
    uid,
    allowed: true,
    status: { code: 200, ...(message === undefined ? {} : { message }) },
    ...encodePatch(patch),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}
