/** Server-sent events, read without the product's own client. */

/** One event of a stream. */
export interface StreamEvent {
  /** The last id the stream gave, or null when it gave none yet. */
  readonly id: string | null;
  readonly event: string;
  /** Its data, parsed from JSON. */
  readonly data: unknown;
}

/** Takes a stream apart into events (HTML Living Standard, 9.2.6). Comments and `retry` are passed over. */
export async function* parseEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent, void, undefined> {
  let rest = "";
  let id: string | null = null;
  let event = "message";
  let data: string[] = [];
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r\n|\n|\r(?=.)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield { id, event, data: JSON.parse(data.join("\n")) };
        event = "message";
        data = [];
        continue;
      }
      const [field, value] = splitField(line);
      if (field === "id") id = value;
      else if (field === "event") event = value;
      else if (field === "data") data.push(value);
    }
  }
}

/** One blank after the colon belongs to the syntax; a line that begins with a colon is a comment (field ""). */
function splitField(line: string): [field: string, value: string] {
  const colon = line.indexOf(":");
  return colon === -1 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}
