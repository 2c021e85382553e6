/** Asks a health endpoint whether its process is ready. */
import { request } from 'node:https';
import { request as plainRequest } from 'node:http';

/** True when the URL answers 200. A certificate is checked where `ca` is given; health endpoints often have none. */
export function isAnswering(url: string, ca?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const send = url.startsWith('https:') ? request : plainRequest;
    const probe = send(url, { agent: false, ca, rejectUnauthorized: ca !== undefined }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.setTimeout(2000, () => probe.destroy());
    probe.on('error', () => {
      resolve(false);
    });
    probe.end();
  });
}
