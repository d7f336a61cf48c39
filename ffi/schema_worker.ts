/// <reference lib="deno.worker" />
/** Judges domain XML by libvirt's schemas: one document after the other, on a thread that its owner may end at any time. */
import { lineOf, locateFault } from "../lib/formats/xml/locate.ts";
import { messageOf } from "../lib/text/message.ts";
import { XmlError } from "../lib/formats/xml/tree.ts";
import { DomainSchema } from "./schema.ts";
import { TimeLimitError, withinTime } from "./time_limit.ts";
import type { FromSchemaWorker, SchemaFault, ToSchemaWorker } from "./schema_protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

/** Milliseconds in which the place of a fault is looked for: a large document takes many trials. */
const LOCATE_MS = 2000;

/** Fault of a domain XML; null if it has none, or there are no schemas here. */
function faultOf(xml: string, ms: number): SchemaFault | null {
  using schema = DomainSchema.load();
  return schema === null ? null : withinTime(ms, () => judged(schema, xml));
}

function judged(schema: DomainSchema, xml: string): SchemaFault | null {
  const verdict = schema.validate(xml);
  if (verdict === null) return null;
  const message = verdict.messages.join("\n");
  if (verdict.line !== undefined) return { message, line: verdict.line };
  const until = performance.now() + LOCATE_MS;
  try {
    const { element, attribute } = locateFault(
      xml,
      (source) => schema.validate(source) === null,
      () => performance.now() > until,
    );
    return {
      message,
      line: lineOf(xml, element.from),
      element: element.name,
      ...(attribute !== undefined && { attribute }),
    };
  } catch (error) {
    // libxml2 read what our own reader does not: there is a fault, its place is not known.
    if (error instanceof XmlError) return { message };
    throw error;
  }
}

self.onmessage = ({ data: { xml, ms } }: MessageEvent<ToSchemaWorker>) => {
  let answer: FromSchemaWorker;
  try {
    answer = { fault: faultOf(xml, ms) };
  } catch (error) {
    answer = { failure: messageOf(error), isLate: error instanceof TimeLimitError };
  }
  self.postMessage(answer);
};
