/** The part of some content that a request asks for: its conditions and its range (RFC 9110, 13 and 14). */
import { ContractError } from "../../lib/contract/errors.ts";
import type { ContentPart, Whole } from "../dispatch.ts";
import { isKnown, requireMatch } from "./conditions.ts";

/** How a request for content is answered. */
export interface ChosenPart extends ContentPart {
  readonly status: 200 | 206 | 304;
  /** The content's ETag, where it has one. */
  readonly tag: string | undefined;
  /** The part that is read for it; null for none. */
  readonly part: ContentPart | null;
}

/** Bytes FIRST to LAST, from FIRST on, or the last so many. */
const RANGE = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/i;

/**
 * The part that a range names. Several ranges, other units and what is none are passed over, as 14.2 allows.
 *
 * @throws {ContractError} RangeNotSatisfiable
 */
function partOf(range: string, size: number): ContentPart | undefined {
  const [, first, last, suffix] = RANGE.exec(range.trim()) ?? [];
  const offset = suffix === undefined ? Number(first) : Math.max(0, size - Number(suffix));
  const end = Math.min(last === undefined ? Infinity : Number(last), size - 1);
  if (Number.isNaN(offset) || (last !== undefined && Number(last) < offset)) return undefined;
  if (offset >= size) throw new ContractError("RangeNotSatisfiable", { range: range.trim(), size });
  return { offset, length: end - offset + 1 };
}

/**
 * Chooses the answer to a request. Its conditions come first, in the order of RFC 9110 (13.2.2); a range is
 * only for GET, and only if `If-Range` names the content as it is.
 *
 * @throws {ContractError} PreconditionFailed, RangeNotSatisfiable
 */
export function choosePart({ method, headers }: Request, { size, version }: Whole): ChosenPart {
  const tag = version === undefined ? undefined : `"${version}"`;
  const all = { offset: 0, length: size };
  requireMatch(headers, tag);
  if (isKnown(headers, tag)) {
    return { ...all, status: 304, tag, part: null };
  }
  const range = headers.get("range"), ifRange = headers.get("if-range");
  if (method === "HEAD") return { ...all, status: 200, tag, part: null };
  const part = range !== null && (ifRange === null || ifRange.trim() === tag)
    ? partOf(range, size)
    : undefined;
  return part === undefined ? { ...all, status: 200, tag, part: all } : { ...part, status: 206, tag, part };
}
