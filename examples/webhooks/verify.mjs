import { createHmac, timingSafeEqual } from "node:crypto";

const equal = (a, b) => {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
};

// Checks the webhook- headers (Standard Webhooks). Give the headers as Node has them, in lower case, the raw body as a
// Buffer, and all secrets that are valid now.
export function verifyWebhook(secrets, headers, body, now = Date.now() / 1000) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (!id || !/^\d+$/.test(timestamp) || Math.abs(now - Number(timestamp)) > 300) return false;
  return secrets.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    if (key.length === 0) return false; // with an empty key anybody could sign
    const digest = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
    return (headers["webhook-signature"] ?? "").split(" ").some((one) => equal(one, `v1,${digest}`));
  });
}

// Checks X-Signature, which has no timestamp. Prefer verifyWebhook.
export function verifyXSignature(secrets, signature, body) {
  return secrets.some((secret) => {
    if (secret.replace(/^whsec_/, "") === "") return false; // anybody could sign with it
    return equal(signature, createHmac("sha256", secret).update(body).digest("hex"));
  });
}
