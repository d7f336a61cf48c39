/** Serves the files of `static/` and the bundled islands. */
import { getMimeType } from "hono/utils/mime";
import type { Assets } from "./assets.ts";
import { internalsOf } from "./context.ts";
import { readTranslated, type TextSource, translatedFile } from "./island_texts.ts";
import type { Middleware } from "./middleware.ts";
import { CACHE_KEY } from "../runtime.ts";
import { takesGzip } from "../../takes_gzip.ts";

/**
 * A middleware that answers GET and HEAD for files there are, and passes on everything else.
 *
 * @param textsIn the translations of the islands' texts
 */
export function staticFiles<State>(textsIn?: TextSource): Middleware<State> {
  const tags = new Map<string, { version: string; tag: string }>();

  const tagOf = async ({ path, version }: FoundFile, bytes: Uint8Array<ArrayBuffer>) => {
    const known = tags.get(path);
    const tag = known?.version === version ? known.tag : await entityTag(bytes);
    tags.set(path, { version, tag });
    return tag;
  };

  return async function serveStaticFile(ctx) {
    const { method } = ctx.req;
    const names = fileNames(ctx.url.pathname);
    if (names === null || (method !== "GET" && method !== "HEAD")) return await ctx.next();
    const assets = await internalsOf(ctx).manifest.assets();
    const asked = translatedFile(names);
    const translate = asked === null ? undefined : await textsIn?.(asked.language);
    const isTranslated = asked !== null && translate !== undefined;
    const file = await find(assets, isTranslated ? ["_fresh", asked.build, asked.file] : names);
    if (file === null) return await ctx.next();
    const filled = isTranslated ? await readTranslated(assets, asked, translate) : null;

    // What is made for a language is compressed by the listener
    const small = filled === null && takesGzip(ctx.req.headers.get("accept-encoding"))
      ? await compressed(assets, file.path)
      : null;
    const bytes = filled ?? small ?? await Deno.readFile(file.path);
    const tag = filled === null ? await tagOf(file, bytes) : await entityTag(bytes);
    const headers = new Headers({
      "content-type": getMimeType(file.path) ?? "application/octet-stream",
      "cache-control": isForEver(assets, ctx.url) ? "public, immutable, max-age=31536000" : "no-cache",
      "x-content-type-options": "nosniff",
      etag: tag,
      ...(assets.packed && { vary: "accept-encoding" }),
      ...(small !== null && { "content-encoding": "gzip" }),
    });
    if (matches(ctx.req.headers.get("if-none-match"), tag)) {
      return new Response(null, { status: 304, headers });
    }
    headers.set("content-length", String(bytes.length));
    return new Response(method === "HEAD" ? null : bytes, { headers });
  };
}

/** The file as the build compressed it; null if there is only the plain one. */
async function compressed({ packed }: Assets, path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!packed) return null;
  try {
    return await Deno.readFile(`${path}.gz`);
  } catch (error) {
    if (!isAbsence(error)) throw error;
    return null;
  }
}

/** The names along an address's path; null for one that no file can have. */
function fileNames(pathname: string): string[] | null {
  try {
    const names = pathname.slice(1).split("/").map(decodeURIComponent);
    // Leading dots: hidden files, and `..`. A slash can only be an encoded one
    // deno-lint-ignore no-control-regex -- NUL ends a C string, and with it a path
    return names.some((name) => name === "" || /^\.|[/\\\x00]/.test(name)) ? null : names;
  } catch {
    return null; // not UTF-8
  }
}

interface FoundFile {
  readonly path: string;
  /** Differs when the file does. */
  readonly version: string;
}

/** The first folder's file of that name; symbolic links that lead out of the folder are not followed. */
async function find({ folders }: Assets, names: readonly string[]): Promise<FoundFile | null> {
  for (const folder of folders) {
    try {
      const [inside, path] = await Promise.all([
        Deno.realPath(folder),
        Deno.realPath([folder, ...names].join("/")),
      ]);
      if (!path.startsWith(inside + "/")) continue;
      const { isFile, size, mtime } = await Deno.stat(path);
      if (isFile) return { path, version: `${size} ${mtime?.getTime()}` };
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  }
  return null;
}

function isAbsence(error: unknown): boolean {
  // A name too long for the file system is reported without a class of its own
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    (error as { code?: string }).code === "ENAMETOOLONG";
}

/** Whether what this address gives can never change: the build's id is in it. */
function isForEver({ build, packed }: Assets, url: URL): boolean {
  return url.pathname.startsWith("/_fresh/") || (packed && url.searchParams.get(CACHE_KEY) === build);
}

/** Weak, because the server may compress the file on its way. */
async function entityTag(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `W/"${digest.toHex().slice(0, 32)}"`;
}

/** `If-None-Match` (RFC 9110, 13.1.2): weak comparison. */
function matches(header: string | null, tag: string): boolean {
  if (header === null) return false;
  const opaque = (text: string) => text.trim().replace(/^W\//, "");
  return header.trim() === "*" || header.split(",").some((one) => opaque(one) === opaque(tag));
}
