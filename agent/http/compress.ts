/**
 * Pages and JSON are compressed for clients that take gzip. Files that the build has compressed, downloads and streams stay as
 * they are. What is secret and what a stranger can have repeated in one answer are never together: pages have no token, and
 * requests of other sites are refused (guard.ts), so that its length tells nothing (BREACH).
 */
import { gzipSync } from "node:zlib";
import { takesGzip } from "../../lib/takes_gzip.ts";

/** Media types that are compressed; the first two are whole in memory when they are answered. */
const TYPES = /^(?:text\/html|application\/json|application\/openmetrics-text)\b/;
/** Bytes below which an answer fits into one packet as it is. */
const SMALL = 1400;
/** Bytes that are compressed at once; more would keep other requests waiting. */
const AT_ONCE = 256 * 1024;
/** The fastest level halves a page already three times; the next ones gain a tenth for twice the time. */
const LEVEL = { level: 1 };

/** An answer as this client takes it. */
export async function compressResponse(request: Request, response: Response): Promise<Response> {
  const { headers, status } = response;
  const isFit = response.body !== null && !headers.has("content-encoding") &&
    !headers.has("content-disposition") &&
    TYPES.test(headers.get("content-type") ?? "");
  if (!isFit || request.method === "HEAD") return response;
  const vary = new Set([
    ...(headers.get("vary") ?? "").split(/\s*,\s*/).filter((name) => name !== ""),
    "accept-encoding",
  ]);
  headers.set("vary", [...vary].join(", "));
  if (!takesGzip(request.headers.get("accept-encoding"))) return response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length < SMALL) return new Response(bytes, { status, headers });
  headers.set("content-encoding", "gzip");
  headers.delete("content-length");
  if (bytes.length <= AT_ONCE) {
    return new Response(new Uint8Array(gzipSync(bytes, LEVEL)), { status, headers });
  }
  const pieces = ReadableStream.from(piecesOf(bytes)).pipeThrough(new CompressionStream("gzip"));
  return new Response(pieces, { status, headers });
}

function* piecesOf(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += AT_ONCE) yield bytes.subarray(at, at + AT_ONCE);
}
