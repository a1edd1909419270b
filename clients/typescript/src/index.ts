export * from "./client.js";
export { ConnectionError, type ErrorCode, type FieldError, SavePageError } from "./errors.js";
export { imageLink } from "./links.js";
export type { components } from "./openapi.js";
export { verifySignature, verifyWebhook, type WebhookHeaders } from "./webhooks.js";
