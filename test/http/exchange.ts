/** Posts, and whole answers in the form that golden files pin. */
import type { Express } from 'express';
import request from 'supertest';

export interface Answer {
  /** What was asked, in words. */
  readonly name: string;
  readonly status: number;
  readonly type: string | undefined;
  readonly body: unknown;
}

/** Posts a value as JSON, or a text as it is, with no content type, as kube-scheduler may. */
export async function post(app: Express, path: string, body: unknown): Promise<request.Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  // A serializer of our own keeps supertest from quoting the text; the header is taken away again.
  return request(app).post(path).serialize(String).set('Content-Type', '').send(text);
}

/** Posts a value and gives the whole answer. */
export async function ask(app: Express, name: string, path: string, body: unknown): Promise<Answer> {
  const response = await post(app, path, body);
  const { status, headers } = response;
  return { name, status, type: headers['content-type'], body: response.body as unknown };
}
