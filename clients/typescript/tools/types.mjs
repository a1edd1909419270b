// Writes the types of the API to a file, from the OpenAPI document of a running server: types.mjs FILE. BASE is the server's URL.
import { writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const base = process.env.BASE ?? "http://127.0.0.1:8080";
const answer = await fetch(`${base}/openapi.json`);
if (!answer.ok) throw new Error(`${base}/openapi.json answers ${answer.status}`);
const document = await answer.json();

// The client needs what requests and answers consist of; its methods stand for the paths.
document.paths = {};
document.webhooks = {};
document.components.schemas.ErrorCode = {
  type: "string",
  description: "Stable name of an error. docs/errors.md says what each means.",
  enum: document["x-error-codes"].map((one) => one.code),
};
const head = "// Generated from the OpenAPI document of the server by \"npm run types\". Do not edit.\n\n";
await writeFile(process.argv[2], head + astToString(await openapiTS(document)));
