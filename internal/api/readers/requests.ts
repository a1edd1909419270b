// What a client made from the OpenAPI document must accept: no request needs an option that has a default.
import type { components, operations } from "./api";

type Schemas = components["schemas"];

export const page: Schemas["Options"] = { url: "https://example.com" };
export const document: Schemas["Options"] = { html: "<h1>Hello</h1>", clip: "0,0,800,600", cookies: "a=1", metadata: { order: 17 } };
export const batch: Schemas["BatchBody"] = { urls: ["https://example.com"], options: { fullpage: true } };
export const rotation: Schemas["Rotation"] = {};
export const body: operations["createCapture"]["requestBody"]["content"]["application/json"] = { url: "https://example.com" };
export const query: operations["captureByQuery"]["parameters"]["query"] = { url: "https://example.com", device: "iPhone 15" };
export const none: operations["captureByQuery"]["parameters"]["query"] = undefined;
export const list: operations["listCaptures"]["parameters"]["query"] = { state: ["success"] };

export function picture(view: Schemas["View"]): string {
  return view.image === null ? (view.error?.code ?? view.status) : view.image;
}
