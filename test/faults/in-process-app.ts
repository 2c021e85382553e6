/**
 * Calls an Express application without a socket: the request is an object with its body read already, the response
 * hands on what is written to it. Everything happens in the caller's own step or in promises that follow from it.
 */
import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Express } from 'express';

export interface AppCall {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As the application's body parser would leave it. */
  readonly body?: unknown;
}

export interface AppListener {
  /** A piece of an answer that goes on. */
  readonly onPiece?: (text: string) => void;
  readonly onEnd: (status: number, headers: OutgoingHttpHeaders, text: string) => void;
  /** The application gave the connection up. */
  readonly onBroken?: () => void;
}

/** Begins a call. The function that comes back hangs up: the application sees the connection closed. */
export function callApp(app: Express, call: AppCall, listener: AppListener): () => void {
  // An application reads no body of a request that says that it is complete.
  const request = { ...call, complete: true, httpVersionMajor: 1, httpVersionMinor: 1 };
  const response = new ServerResponse(request as unknown as IncomingMessage);
  let isOver = false;
  const close = () => {
    if (isOver) return;
    isOver = true;
    response.destroyed = true;
    response.emit('close');
  };
  Object.assign(response, {
    flushHeaders: () => undefined,
    write: (piece: string | Buffer) => {
      if (!isOver) listener.onPiece?.(piece.toString());
      return true;
    },
    end: (text: string | Buffer = '') => {
      if (isOver) return response;
      Object.assign(response, { finished: true });
      const { statusCode } = response;
      const headers = response.getHeaders();
      close();
      listener.onEnd(statusCode, headers, text.toString());
      return response;
    },
    destroy: () => {
      if (isOver) return response;
      close();
      listener.onBroken?.();
      return response;
    },
  });
  app(request as never, response as never);
  return close;
}
