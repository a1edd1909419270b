import type { Options } from "./client.js";
import { hex, hmac } from "./hmac.js";

/**
 * Returns a link that answers with the picture and needs no key, for an <img>. The secret is a link secret of the account; without
 * expires the link is valid until the secret is removed. Make links on your server: whoever has the secret can sign any capture.
 * Throws a TypeError for a secret that is none.
 */
export async function imageLink(baseUrl: string, secret: string, options: Options, expires?: Date): Promise<string> {
  const id = /^(lnk_[0-9A-Za-z]{12})_[0-9A-Za-z]{32}$/.exec(secret)?.[1];
  if (!id) throw new TypeError('the link secret is not "lnk_", 12 letters or digits, "_" and 32 letters or digits');
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const text of texts(value)) query.append(name, text);
  }
  if (expires) query.append("exp", String(Math.floor(expires.getTime() / 1000)));
  const text = query.toString();
  const mac = hex(await hmac(new TextEncoder().encode(secret), new TextEncoder().encode(text)));
  return `${baseUrl.replace(/\/+$/, "")}/v1/image?${text}&sig=${id}.${mac}`;
}

/** The values of a parameter: a list of texts is given one by one, everything else at once. */
function texts(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const several = Array.isArray(value) && value.every((one) => typeof one === "string") ? value : [value];
  return several.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
}
