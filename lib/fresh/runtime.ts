/** `fresh/runtime`: what islands and components may import. Runs in the browser and on the server. */
export { Head } from "./head.tsx";

/** True in the browser, false on the server. */
export const IS_BROWSER: boolean = typeof document !== "undefined";

/** Query parameter that holds the build id; the same as Fresh's. */
export const CACHE_KEY = "__frsh_c";

let build = "";

/** Tells `asset` which build is running. Called by the server before it renders, and by `boot.ts`. */
export function setBuildId(id: string): void {
  build = id;
}

/**
 * The address of a static file with the build's id, so that it may be cached for ever.
 *
 * @param path Absolute path below `static/`; anything else (another site's address) is returned as it is.
 */
export function asset(path: string): string {
  if (build === "" || !path.startsWith("/") || path.startsWith("//")) return path;
  const url = new URL(path, "http://localhost");
  if (!url.searchParams.has(CACHE_KEY)) url.searchParams.set(CACHE_KEY, build);
  return url.pathname + url.search + url.hash;
}
