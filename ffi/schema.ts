/**
 * libxml2 and libvirt's schemas: the same library and the same files that libvirt validates with, asked directly,
 * because libvirt passes no line numbers on. Both come with libvirt's client library.
 */
import { cString, readString } from "./memory.ts";

const ptr = "pointer";
const buf = "buffer";
const int = "i32";

const SYMBOLS = {
  xmlInitParser: { parameters: [], result: "void" },
  xmlReadMemory: {
    parameters: [buf, /* buffer */ int, /* size */ ptr, /* URL */ buf, /* encoding */ int /* options */],
    result: ptr,
  },
  xmlFreeDoc: { parameters: [ptr /* cur */], result: "void" },
  xmlGetLastError: { parameters: [], result: ptr }, // borrowed, thread-local
  xmlRelaxNGNewParserCtxt: { parameters: [buf /* URL */], result: ptr },
  xmlRelaxNGFreeParserCtxt: { parameters: [ptr /* ctxt */], result: "void" },
  xmlRelaxNGParse: { parameters: [ptr /* ctxt */], result: ptr },
  xmlRelaxNGFree: { parameters: [ptr /* schema */], result: "void" },
  xmlRelaxNGNewValidCtxt: { parameters: [ptr /* schema */], result: ptr },
  xmlRelaxNGFreeValidCtxt: { parameters: [ptr /* ctxt */], result: "void" },
  xmlRelaxNGSetValidStructuredErrors: {
    parameters: [ptr, /* ctxt */ ptr, /* serror */ ptr /* ctx */],
    result: "void",
  },
  xmlRelaxNGValidateDoc: { parameters: [ptr, /* ctxt */ ptr /* doc */], result: int },
} as const satisfies Deno.ForeignLibraryInterface;

type Xml2 = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** libxml2 changed its name with 2.14. */
const NAMES = ["libxml2.so.2", "libxml2.so.16", "libxml2.so"];
/** Paths of libvirt's schemas in distributions. */
const SCHEMAS = ["/usr/share/libvirt/schemas/domain.rng", "/usr/local/share/libvirt/schemas/domain.rng"];
/** `XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET`: nothing is printed, nothing is fetched. */
const QUIET = 32 | 64 | 2048;
/** More messages than this are no help. */
const MOST_MESSAGES = 12;

let opened: Xml2 | null | undefined;

function xml2(): Xml2 | null {
  if (opened !== undefined) return opened;
  for (const name of NAMES) {
    try {
      opened = Deno.dlopen(name, SYMBOLS).symbols;
      opened.xmlInitParser();
      return opened;
    } catch {
      // Not under this name; without any there are no lines, and libvirt still validates what is saved.
    }
  }
  return opened = null;
}

/** Verdict of libxml2 on a document: its messages, and the line of a document that is not well-formed. */
export interface SchemaVerdict {
  readonly messages: readonly string[];
  readonly line: number | undefined;
}

/** `struct _xmlError` (xmlerror.h): int domain @0, int code @4, char *message @8, int level @16, char *file @24, int line @32. */
function readXmlError(error: Deno.PointerObject): { message: string; line: number } {
  const view = new Deno.UnsafePointerView(error);
  return { message: readString(view.getPointer(8)).trim(), line: view.getInt32(32) };
}

/** libvirt's schema of domains, loaded. Disposed of with `using`. */
export class DomainSchema implements Disposable {
  readonly #xml2: Xml2;
  readonly #schema: Deno.PointerObject;
  readonly #context: Deno.PointerObject;
  readonly #onError: Deno.UnsafeCallback;
  #messages: string[] = [];

  private constructor(symbols: Xml2, schema: Deno.PointerObject, context: Deno.PointerObject) {
    this.#xml2 = symbols;
    this.#schema = schema;
    this.#context = context;
    // Called by libxml2 during validate(), on this very thread.
    this.#onError = new Deno.UnsafeCallback(
      { parameters: [ptr, ptr], result: "void" } as const,
      (_context: Deno.PointerValue, error: Deno.PointerValue) => {
        if (error === null || this.#messages.length >= MOST_MESSAGES) return;
        this.#messages.push(readXmlError(error).message);
      },
    ) as unknown as Deno.UnsafeCallback;
    symbols.xmlRelaxNGSetValidStructuredErrors(context, this.#onError.pointer, null);
  }

  /** Loads the schema; null where libxml2 or the schema is not installed. */
  static load(): DomainSchema | null {
    const symbols = xml2();
    const path = SCHEMAS.find(isThere);
    if (symbols === null || path === undefined) return null;
    const parser = symbols.xmlRelaxNGNewParserCtxt(cString(path));
    if (parser === null) return null;
    const schema = symbols.xmlRelaxNGParse(parser);
    symbols.xmlRelaxNGFreeParserCtxt(parser);
    if (schema === null) return null;
    const context = symbols.xmlRelaxNGNewValidCtxt(schema);
    if (context === null) {
      symbols.xmlRelaxNGFree(schema);
      return null;
    }
    return new DomainSchema(symbols, schema, context);
  }

  /** Judges a document; null: it is valid. The caller has made sure that it has no document type. */
  validate(source: string): SchemaVerdict | null {
    const bytes = cString(source);
    const document = this.#xml2.xmlReadMemory(bytes, bytes.length - 1, null, cString("UTF-8"), QUIET);
    if (document === null) {
      const error = this.#xml2.xmlGetLastError();
      if (error === null) return { messages: ["it is not well-formed"], line: undefined };
      const { message, line } = readXmlError(error);
      return { messages: [message], line };
    }
    this.#messages = [];
    const result = this.#xml2.xmlRelaxNGValidateDoc(this.#context, document);
    this.#xml2.xmlFreeDoc(document);
    return result === 0 ? null : { messages: this.#messages, line: undefined };
  }

  [Symbol.dispose](): void {
    this.#xml2.xmlRelaxNGFreeValidCtxt(this.#context);
    this.#xml2.xmlRelaxNGFree(this.#schema);
    this.#onError.close();
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
