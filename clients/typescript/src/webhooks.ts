import { base64, bytesOf, equal, hex, hmac } from "./hmac.js";

/** Seconds by which the timestamp of a callback may differ from this machine's clock. */
const tolerance = 300;

/** Headers of a callback: those of fetch or of Node. */
export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

/**
 * Checks the webhook- headers (Standard Webhooks) of a callback. Give the raw body as it was received, and all secrets that are
 * valid now; now is in Unix seconds. Throws a TypeError for a secret that is none.
 */
export async function verifyWebhook(
  secrets: string[],
  headers: WebhookHeaders,
  body: Uint8Array | string,
  now: number = Date.now() / 1000,
): Promise<boolean> {
  const keys = secrets.map(keyOf);
  const id = header(headers, "webhook-id");
  const timestamp = header(headers, "webhook-timestamp");
  if (!id || !/^\d+$/.test(timestamp) || Math.abs(now - Number(timestamp)) > tolerance) return false;
  const signed = join(`${id}.${timestamp}.`, body);
  let valid = false;
  for (const key of keys) {
    const want = `v1,${base64(await hmac(key, signed))}`;
    for (const one of header(headers, "webhook-signature").split(" ")) valid = equal(one, want) || valid;
  }
  return valid;
}

/** Checks X-Signature, which has no timestamp. Prefer verifyWebhook. Throws a TypeError for a secret that is none. */
export async function verifySignature(secrets: string[], signature: string, body: Uint8Array | string): Promise<boolean> {
  let valid = false;
  for (const secret of secrets) {
    keyOf(secret);
    const want = hex(await hmac(new TextEncoder().encode(secret), join("", body)));
    valid = equal(signature, want) || valid;
  }
  return valid;
}

/** The bytes that a secret encodes. An empty key would let anybody sign. */
function keyOf(secret: string): Uint8Array {
  const key = secret.startsWith("whsec_") ? bytesOf(secret.slice("whsec_".length)) : undefined;
  if (!key?.length) throw new TypeError('the webhook secret is not "whsec_" and base64');
  return key;
}

function header(headers: WebhookHeaders, name: string): string {
  if (headers instanceof Headers) return headers.get(name) ?? "";
  for (const [given, value] of Object.entries(headers)) {
    if (given.toLowerCase() === name) return Array.isArray(value) ? value.join(" ") : (value ?? "");
  }
  return "";
}

function join(head: string, body: Uint8Array | string): Uint8Array {
  const first = new TextEncoder().encode(head);
  const second = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
