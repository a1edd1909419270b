/** HMAC-SHA256, by the platform's own cryptography. */
export async function hmac(key: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  const { subtle } = await platform();
  const imported = await subtle.importKey("raw", key as BufferSource, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, message as BufferSource));
}

/** Node 18 has it in a module only. */
async function platform(): Promise<Crypto> {
  if (globalThis.crypto?.subtle) return globalThis.crypto;
  const module = "node:crypto";
  return ((await import(module)) as { webcrypto: Crypto }).webcrypto;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Returns the bytes of a text in base64, or undefined if it is none. */
export function bytesOf(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Compares two texts in a time that depends only on their lengths. */
export function equal(a: string, b: string): boolean {
  let different = a.length ^ b.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) different |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return different === 0;
}
