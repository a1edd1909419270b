/** An event of a stream as it comes: its data are still text. */
export interface ServerEvent {
  id: number;
  name: string;
  data: string;
}

/** Yields the server-sent events of a stream. received is called for whatever comes, comments too. */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
  received: () => void,
): AsyncGenerator<ServerEvent, void, void> {
  let event = { id: 0, name: "", data: "" };
  for await (const line of lines(body, received)) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") event.id = Number(value);
    else if (field === "event") event.name = value;
    else if (field === "data") event.data += event.data ? `\n${value}` : value;
    else if (line === "") {
      if (event.name) yield event;
      event = { id: 0, name: "", data: "" };
    }
  }
}

/** Yields the lines of a stream. What stands after the last line end is no line. */
async function* lines(body: ReadableStream<Uint8Array>, received: () => void): AsyncGenerator<string, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      received();
      const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      yield* parts.map((line) => line.replace(/\r$/, ""));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
