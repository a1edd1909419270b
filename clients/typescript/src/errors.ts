import type { components } from "./openapi.js";

type Schemas = components["schemas"];

/** An invalid field of a request: where it stands ("body.width"), what is wrong, and the value. */
export type FieldError = Schemas["FieldError"];
/** Stable name of an error. A newer server may have others. */
export type ErrorCode = Schemas["ErrorCode"] | "unknown" | (string & {});

/** What is known of an error beside its code and message. */
export interface ErrorDetails {
  status?: number;
  errors?: FieldError[];
  requestId?: string | undefined;
  captureId?: string | undefined;
  retryAfter?: number | undefined;
}

/** An error that the server or a capture has answered with. */
export class SavePageError extends Error {
  override name = "SavePageError";
  /** HTTP status of the answer; 0 for the error of a capture that was looked up. */
  readonly status: number;
  /** Every invalid field of the request. */
  readonly errors: FieldError[];
  /** Identifies the request in the log of the server. */
  readonly requestId: string | undefined;
  /** The capture that failed. */
  readonly captureId: string | undefined;
  /** Seconds to wait before the same request may succeed. */
  readonly retryAfter: number | undefined;

  constructor(readonly code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.status = details.status ?? 0;
    this.errors = details.errors ?? [];
    this.requestId = details.requestId;
    this.captureId = details.captureId;
    this.retryAfter = details.retryAfter;
  }

  /** Name of the first invalid field, such as "width" or "options.width"; undefined if no field is at fault. */
  get field(): string | undefined {
    return this.errors[0]?.location.replace(/^(body|query|header|path)\./, "");
  }
}

/** The server could not be reached, or it did not answer in time. Whether it has done what was asked is not known. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

/** Makes an error of an answer that is no success. */
export async function refusal(answer: Response): Promise<SavePageError> {
  const text = await answer.text();
  const after = answer.headers.get("Retry-After") ?? "";
  const problem = problemIn(text);
  const details: ErrorDetails = {
    status: answer.status,
    errors: problem.errors ?? [],
    requestId: problem.request_id ?? answer.headers.get("X-Request-Id") ?? undefined,
    captureId: problem.capture_id,
    retryAfter: /^\d+$/.test(after) ? Number(after) : undefined,
  };
  const message = problem.detail ?? `the server answered ${answer.status}: ${text.slice(0, 200)}`;
  return new SavePageError(problem.code ?? "unknown", message, details);
}

/** Reads a problem. Nothing is known of an answer that a proxy has made. */
function problemIn(text: string): Partial<Schemas["Problem"]> {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null ? found : {};
  } catch {
    return {};
  }
}

/** Reads the JSON of an answer that is a success; some have none. */
export function decoded<T>(text: string, status: number): T {
  if (text === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new SavePageError("unknown", `the server answered what is no JSON: ${text.slice(0, 200)}`, { status });
  }
}

/** Returns a capture that has succeeded. Throws a SavePageError for another. */
export function succeeded<T extends Schemas["View"] | Schemas["Record"]>(capture: T): T {
  const details = { captureId: capture.capture_id };
  if (capture.status === "failed") {
    throw new SavePageError(capture.error?.code ?? "unknown", capture.error?.message ?? "the capture failed", details);
  }
  if (capture.status === "canceled") throw new SavePageError("conflict", `capture ${capture.capture_id} was canceled`, details);
  return capture;
}
