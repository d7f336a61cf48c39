/** Conditions of requests (RFC 9110, 13): ETags, If-Match, If-None-Match. */
import { createHash } from "node:crypto";
import { ContractError } from "../../lib/contract/errors.ts";

/** The ETags of a list; `*` stands for any. */
const tagsIn = (list: string) => list.match(/\*|(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];

/** Characters of a hash that tell answers apart. */
const LENGTH = 27;

/** Field that changes by itself from moment to moment: for changes, an answer is the same one without it. */
const FIGURES = "stats";

/** Whether an answer says figures of the moment, which its ETag leaves out wherever they stand. */
export function hasFigures(answer: unknown): boolean {
  let isFound = false;
  JSON.stringify(answer ?? null, (key, value) => {
    if (key === FIGURES && value !== undefined) isFound = true;
    return value;
  });
  return isFound;
}

/** The ETag of a command's answer: its own `etag`, where it has one, else one of all that it says but its figures. */
export function etagOf(answer: unknown): string {
  const own = (answer as { etag?: unknown } | null)?.etag;
  if (typeof own === "string" && /^[\x21\x23-\x7e]{1,128}$/.test(own)) return `"${own}"`;
  return `"${
    createHash("sha1").update(JSON.stringify(answer ?? null, (key, value) =>
      key === FIGURES ? undefined : value)).digest("base64url").slice(0, LENGTH)
  }"`;
}

/**
 * @param tag of what is there; undefined where that cannot be told
 * @throws {ContractError} PreconditionFailed where If-Match names other content
 */
export function requireMatch(headers: Headers, tag: string | undefined): void {
  const match = headers.get("if-match");
  if (match !== null && !tagsIn(match).some((each) => each === "*" || each === tag)) {
    throw new ContractError("PreconditionFailed", { tag: tag ?? "unknown" });
  }
}

/** Whether who asks has the content already, as If-None-Match says. */
export function isKnown(headers: Headers, tag: string | undefined): boolean {
  const none = headers.get("if-none-match");
  return none !== null && tagsIn(none).some((each) => each === "*" || each.replace(/^W\//, "") === tag);
}

/** Whether a request has a condition on what it changes. */
export const isConditional = (headers: Headers): boolean =>
  headers.has("if-match") || headers.has("if-none-match");

/** Changes of one thing one after the other, so that a condition still holds when its change begins. */
export class ChangeQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs a change after all earlier ones of the same object. @throws errors of the change */
  async run<T>(thing: string, change: () => Promise<T>): Promise<T> {
    const before = this.#last.get(thing) ?? Promise.resolve();
    const mine = before.then(change);
    const over = mine.catch(() => {/* thrown to who asked for it */});
    this.#last.set(thing, over);
    try {
      return await mine;
    } finally {
      if (this.#last.get(thing) === over) this.#last.delete(thing);
    }
  }
}
