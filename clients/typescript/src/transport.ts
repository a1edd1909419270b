import { ConnectionError, refusal } from "./errors.js";

/** Milliseconds before the second look at something that goes on; each next one waits twice as long, up to lastPause. */
export const firstPause = 50;
export const lastPause = 1000;

/** An answer that is a success, and what bounds the reading of its body. */
export interface Answered {
  answer: Response;
  /** Call it for what was received: the time for the next part begins. */
  received: () => void;
  /** Call it at the end. */
  close: () => void;
  /** Turns what the reading threw into the error to be thrown on. */
  fault: (cause: unknown) => unknown;
}

/** Sends requests. Each has so many milliseconds until it is answered, and between two parts of the answer. */
export class Transport {
  readonly #fetch: typeof fetch;
  readonly #timeout: number;

  constructor(send: typeof fetch, timeout: number) {
    this.#fetch = send;
    this.#timeout = timeout;
  }

  /** Sends a request. Throws a SavePageError for an answer that is no success, a ConnectionError without an answer. */
  async open(url: string, request: RequestInit, signal: AbortSignal | undefined): Promise<Answered> {
    signal?.throwIfAborted();
    const cut = new AbortController();
    const late = () => cut.abort(new Error(`no answer within ${this.#timeout} ms`));
    let timer = setTimeout(late, this.#timeout);
    const stop = () => cut.abort(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    const close = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    };
    const received = () => {
      clearTimeout(timer);
      timer = setTimeout(late, this.#timeout);
    };
    const fault = (cause: unknown) => (signal?.aborted ? signal.reason : lost(url, cut.signal.reason ?? cause));
    let answer: Response;
    try {
      answer = await this.#fetch(url, { ...request, signal: cut.signal });
    } catch (cause) {
      close();
      throw fault(cause);
    }
    if (answer.ok) return { answer, received, close, fault };
    try {
      throw await refusal(answer).catch((cause: unknown) => fault(cause));
    } finally {
      close();
    }
  }

  /** Sends a request and reads the whole answer. */
  async read<T>(url: string, request: RequestInit, signal: AbortSignal | undefined, body: (answer: Response) => Promise<T>): Promise<T> {
    const { answer, close, fault } = await this.open(url, request, signal);
    try {
      return await body(answer);
    } catch (cause) {
      throw fault(cause);
    } finally {
      close();
    }
  }
}

function lost(url: string, cause: unknown): ConnectionError {
  const nested = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = nested instanceof Error ? nested.message : String(nested);
  return new ConnectionError(`${new URL(url).host} cannot be reached: ${why}`, { cause });
}

/** Looks until what is found has ended. */
export async function poll<T>(look: () => Promise<T>, ended: (found: T) => boolean, signal: AbortSignal | undefined): Promise<T> {
  for (let pause = firstPause; ; pause = Math.min(2 * pause, lastPause)) {
    const found = await look();
    if (ended(found)) return found;
    await sleep(pause, signal);
  }
}

/** Waits. It throws the signal's reason as soon as the signal is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
