/** Judging domain XML by libvirt's schemas, without libvirtd. */
import { lineOf, locateFault } from "../../lib/xml/locate.ts";
import { XmlError } from "../../lib/xml/tree.ts";
import type { Connection } from "../connection.ts";
import { DomainSchema } from "../schema.ts";

/** What the schema does not allow, and where. */
export interface SchemaFault {
  readonly message: string;
  readonly line?: number;
  readonly element?: string;
  readonly attribute?: string;
}

/**
 * What is wrong with a domain XML by libvirt's schemas; null: nothing, or there are no schemas here. The XML must have
 * no document type. A worker's call because it takes a while, not because of the connection.
 */
export function domainSchemaFault(_connection: Connection, { xml }: { xml: string }): SchemaFault | null {
  using schema = DomainSchema.load();
  const verdict = schema?.validate(xml) ?? null;
  if (schema === null || verdict === null) return null;
  const message = verdict.messages.join("\n");
  if (verdict.line !== undefined) return { message, line: verdict.line };
  try {
    const { element, attribute } = locateFault(xml, (source) => schema.validate(source) === null);
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
