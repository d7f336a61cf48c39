/** The page to return to after a detour (sign-in, preferences), as an address or a form names it. Pure. */

/** Any origin: paths are read against it, and one that leaves it is none of ours. */
const HERE = "http://here.invalid";

/**
 * A path of this site, as a browser reads it: `/\t/evil` and `/\evil` are another site's there, `/.//evil` becomes one.
 *
 * @returns the path with its query, normalized; `/` for everything that is no page of this site
 */
export function returnPath(to: unknown): string {
  if (typeof to !== "string" || !to.startsWith("/")) return "/";
  const url = URL.parse(to, HERE);
  if (url === null || url.origin !== HERE) return "/";
  const path = url.pathname + url.search;
  return path.startsWith("//") || path.startsWith("/api/") ? "/" : path;
}
