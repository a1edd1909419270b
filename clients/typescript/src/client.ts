// Client of a SavePage server. It needs fetch and nothing else: Node 18 and later, Deno, Bun, browsers.

import { ConnectionError, decoded, succeeded } from "./errors.js";
import { serverEvents, type ServerEvent } from "./events.js";
import { imageLink } from "./links.js";
import type { components } from "./openapi.js";
import { firstPause, lastPause, poll, sleep, Transport } from "./transport.js";

type Schemas = components["schemas"];

/** Options of a capture, as the reference of the server describes them. */
export type Options = Schemas["Options"];
/** A capture as the server shows it. */
export type Capture = Schemas["View"];
/** A capture with its attempts, options and deliveries, as a look-up shows it. */
export type CaptureRecord = Schemas["Record"];
/** A capture that the server has stored and that will end. */
export type Accepted = Schemas["Accepted"];
/** A request for up to 1,000 captures, which are accepted together or not at all. */
export type BatchRequest = Schemas["BatchBody"];
/** A batch whose captures the server has stored and that will end. */
export type AcceptedBatch = Schemas["AcceptedBatch"];
/** A batch as the server shows it. */
export type Batch = Schemas["BatchRecord"];

/** The receiver of the account's own, with a page of what has arrived there. */
export type Inbox = Schemas["Inbox"];
/** A callback that has arrived in the inbox. */
export type InboxEvent = Schemas["InboxEvent"];

/** A callback_url that leads to the account's inbox at the server itself. */
export const inboxUrl = "https://inbox.savepage.invalid/";

/** An event of a capture: queued, started, phase, retried, or done with the capture itself as data. */
export type CaptureEvent =
  | { id: number; name: "queued" | "started" | "phase" | "retried"; data: Schemas["StepEvent"] }
  | { id: number; name: "done"; data: CaptureRecord };

/** A picture and the capture that took it. */
export interface Picture {
  capture: Capture;
  picture: Uint8Array;
}

export interface ClientSettings {
  /** URL of the server. */
  baseUrl: string;
  key: string;
  /**
   * Milliseconds until a request is answered, and between two parts of its answer. Longer than the server waits for a picture, 25 s
   * unless it is set otherwise. Default: 120,000.
   */
  timeout?: number;
  /** In place of the global fetch. */
  fetch?: typeof fetch;
}

/**
 * Bounds a call: it ends with the signal's reason when the signal is aborted, such as AbortSignal.timeout(60_000). The capture goes
 * on at the server.
 */
export interface CallSettings {
  signal?: AbortSignal;
}

export interface SubmitSettings extends CallSettings {
  /** For 24 hours, the same key with the same body returns the same capture or batch. */
  idempotencyKey?: string;
}

/** Bytes of the largest picture that comes in the answer; a larger one is fetched with a second request. */
const maxInline = 4 << 20;

const final = ["success", "failed", "canceled"];

/** Calls one server with one key. Every call throws a SavePageError for an answer that is an error, a ConnectionError without one. */
export class Client {
  readonly baseUrl: string;
  readonly #key: string;
  readonly #transport: Transport;

  constructor(settings: ClientSettings) {
    if (!/^https?:\/\/[^/]/.test(settings.baseUrl)) throw new TypeError(`baseUrl is ${settings.baseUrl}: want http:// or https:// and a host`);
    this.baseUrl = settings.baseUrl.replace(/\/+$/, "");
    this.#key = settings.key;
    this.#transport = new Transport(settings.fetch ?? ((input, init) => fetch(input, init)), settings.timeout ?? 120_000);
  }

  /** Captures a page and waits for the end, also if that takes longer than the server waits in one request. */
  capture(options: Options, settings: CallSettings = {}): Promise<Capture> {
    return this.#capture("/v1/capture", options, settings);
  }

  /** Captures a page and returns the picture with it, most of the time in one request. */
  async picture(options: Options, settings: CallSettings = {}): Promise<Picture> {
    const { image_base64: encoded, ...capture } = await this.#capture(`/v1/capture?inline=${maxInline}`, options, settings);
    const picture = encoded
      ? Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0))
      : await this.image(capture, settings);
    return { capture, picture };
  }

  /** Asks for a capture and returns as soon as the server has stored it. */
  async submit(options: Options, settings: SubmitSettings = {}): Promise<Accepted> {
    const body = options.callback_url ? options : { ...options, async: true };
    return (await this.#call<Accepted>("POST", "/v1/capture", settings, body)).body;
  }

  /** Looks a capture up. */
  async get(id: string, settings: CallSettings = {}): Promise<CaptureRecord> {
    return (await this.#call<CaptureRecord>("GET", `/v1/captures/${encodeURIComponent(id)}`, settings)).body;
  }

  /** Looks a capture up until it has ended. Throws a SavePageError for one that failed or was canceled. */
  async wait(id: string, settings: CallSettings = {}): Promise<CaptureRecord> {
    return succeeded(await poll(() => this.get(id, settings), (found) => final.includes(found.status), settings.signal));
  }

  /** Yields the events of a capture, from queued to done. Reconnects when a connection breaks. */
  async *watch(id: string, settings: CallSettings = {}): AsyncGenerator<CaptureEvent, void, void> {
    let last = 0;
    for (let pause = firstPause; ; pause = Math.min(2 * pause, lastPause)) {
      const before = last;
      try {
        for await (const event of this.#events(id, last, settings)) {
          last = event.id;
          yield { ...event, data: decoded(event.data, 200) } as CaptureEvent;
          if (event.name === "done") return;
        }
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
      }
      if (last > before) pause = firstPause;
      await sleep(pause, settings.signal);
    }
  }

  /** Cancels a capture that has not ended; deletes one that has, with its picture. */
  async cancel(id: string, settings: CallSettings = {}): Promise<void> {
    await this.#call("DELETE", `/v1/captures/${encodeURIComponent(id)}`, settings);
  }

  /** Fetches the picture of a successful capture. It needs no key, and none is sent. */
  async image(capture: Pick<Capture, "image" | "status" | "capture_id">, settings: CallSettings = {}): Promise<Uint8Array> {
    if (!capture.image) throw new TypeError(`capture ${capture.capture_id} has no picture: it is ${capture.status}`);
    return this.#transport.read(capture.image, {}, settings.signal, async (answer) => new Uint8Array(await answer.arrayBuffer()));
  }

  /** Asks for a batch and returns as soon as the server has stored all of it. */
  async submitBatch(batch: BatchRequest, settings: SubmitSettings = {}): Promise<AcceptedBatch> {
    return (await this.#call<AcceptedBatch>("POST", "/v1/batches", settings, batch)).body;
  }

  /** Looks a batch up. */
  async batch(id: string, settings: CallSettings = {}): Promise<Batch> {
    return (await this.#call<Batch>("GET", `/v1/batches/${encodeURIComponent(id)}`, settings)).body;
  }

  /** Looks a batch up until every capture of it has ended. */
  waitBatch(id: string, settings: CallSettings = {}): Promise<Batch> {
    return poll(() => this.batch(id, settings), (found) => found.status === "ended", settings.signal);
  }

  /** Yields the captures of a batch, newest first. */
  async *batchCaptures(id: string, settings: CallSettings = {}): AsyncGenerator<CaptureRecord, void, void> {
    for (let cursor = ""; ; ) {
      const query = new URLSearchParams({ batch_id: id, limit: "100" });
      if (cursor) query.set("cursor", cursor);
      const page = (await this.#call<Schemas["Page"]>("GET", `/v1/captures?${query}`, settings)).body;
      yield* page.captures ?? [];
      cursor = page.next_cursor ?? "";
      if (!cursor) return;
    }
  }

  /** Returns the inbox with one page of events, newest first. */
  async inbox(page: { limit?: number; cursor?: string } = {}, settings: CallSettings = {}): Promise<Inbox> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(page)) if (value) query.set(name, String(value));
    const text = String(query);
    return (await this.#call<Inbox>("GET", text ? `/v1/inbox?${text}` : "/v1/inbox", settings)).body;
  }

  /** Returns the newest event of a capture or a batch in the inbox, as soon as there is one. */
  async waitInbox(id: string, settings: CallSettings = {}): Promise<InboxEvent> {
    const look = async () => (await this.inbox({ limit: 100 }, settings)).events?.find((one) => one.capture_id === id || one.batch_id === id);
    return (await poll(look, (found) => found !== undefined, settings.signal))!;
  }

  /** Says how the inbox answers from now on, to see what becomes of callbacks. */
  async answerInbox(answer: Inbox["answer"], settings: CallSettings = {}): Promise<void> {
    await this.#call("PATCH", "/v1/inbox", settings, { answer });
  }

  /** Removes all events from the inbox. */
  async emptyInbox(settings: CallSettings = {}): Promise<void> {
    await this.#call("DELETE", "/v1/inbox", settings);
  }

  /** Signs a link to the picture of a page that needs no key. The server is not asked. */
  link(secret: string, options: Options, expires?: Date): Promise<string> {
    return imageLink(this.baseUrl, secret, options, expires);
  }

  async #capture(path: string, options: Options, settings: CallSettings): Promise<Capture> {
    const answer = await this.#call<Capture>("POST", path, settings, options);
    return answer.status === 202 ? this.wait(answer.body.capture_id, settings) : answer.body;
  }

  /** A redirect is not followed: one to another host would carry the key along. */
  #request(method: string, more: Record<string, string> = {}): RequestInit & { headers: Record<string, string> } {
    return { method, redirect: "manual", headers: { Authorization: `Bearer ${this.#key}`, ...more } };
  }

  async #call<T>(method: string, path: string, settings: SubmitSettings, body?: unknown): Promise<{ status: number; body: T }> {
    const request = this.#request(method, settings.idempotencyKey ? { "Idempotency-Key": settings.idempotencyKey } : {});
    if (body !== undefined) {
      request.headers["Content-Type"] = "application/json";
      request.body = JSON.stringify(body);
    }
    const read = async (answer: Response) => ({ status: answer.status, text: await answer.text() });
    const { status, text } = await this.#transport.read(this.baseUrl + path, request, settings.signal, read);
    return { status, body: decoded<T>(text, status) };
  }

  async *#events(id: string, last: number, settings: CallSettings): AsyncGenerator<ServerEvent, void, void> {
    const request = this.#request("GET", { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": String(last) } : {}) });
    const url = `${this.baseUrl}/v1/captures/${encodeURIComponent(id)}/events`;
    const { answer, received, close, fault } = await this.#transport.open(url, request, settings.signal);
    try {
      if (answer.body) yield* serverEvents(answer.body, received);
    } catch (cause) {
      throw fault(cause);
    } finally {
      close();
    }
  }
}
