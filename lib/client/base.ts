/** The path below which a reverse proxy serves the pages, for what a script asks for or leads to by itself. */

/** The path, without a slash at its end; empty for none. `routes/_app.tsx` writes it down. */
export function base(): string {
  return typeof document === "undefined" ? "" : document.documentElement.dataset.base ?? "";
}

/** A path of ours as this browser reaches it. */
export const based = (path: string): string => base() + path;
