/** File names of `routes/` → what they are and which addresses they stand for. */

/** Kind of a file of `routes/`, by its name. */
export type FileKind = "app" | "layout" | "middleware" | "error" | "route";

export interface FileRoute {
  readonly kind: FileKind;
  /** Folder as segments, groups included: layouts and middlewares are found along them. */
  readonly folder: readonly string[];
  /** Addresses in the router's notation; empty for what is not a route. */
  readonly patterns: readonly string[];
}

const SPECIAL: Readonly<Record<string, FileKind>> = {
  _app: "app",
  _layout: "layout",
  _middleware: "middleware",
  _error: "error",
};

/**
 * Reads a path below `routes/`, such as `vms/[id]/index.tsx`.
 *
 * @throws {SyntaxError} for a name that means nothing here.
 */
export function fileRoute(path: string): FileRoute {
  const parts = path.replace(/\.[jt]sx?$/, "").split("/");
  const name = parts.at(-1) ?? "";
  const folder = parts.slice(0, -1).map((part) => segment(part, path));
  const kind = SPECIAL[name];
  if (kind !== undefined) return { kind, folder, patterns: [] };
  if (name.startsWith("_")) throw new SyntaxError(`routes/${path}: no special file is called "${name}"`);

  const segments = [...folder, ...(name === "index" ? [] : [segment(name, path)])]
    .filter((part) => !part.startsWith("("));
  const pattern = "/" + segments.join("/");
  // As in Fresh, `[...rest]` also stands for nothing at all
  const bare = segments.at(-1)?.endsWith("{.+}") ? ["/" + segments.slice(0, -1).join("/")] : [];
  return { kind: "route", folder, patterns: [pattern, ...bare] };
}

function segment(part: string, path: string): string {
  const [, rest] = /^\[\.\.\.(\w+)\]$/.exec(part) ?? [];
  if (rest !== undefined) return `:${rest}{.+}`;
  const [, place] = /^\[(\w+)\]$/.exec(part) ?? [];
  if (place !== undefined) return `:${place}`;
  if (/^\(\w+\)$/.test(part) || /^[\w.~-]+$/.test(part)) return part;
  throw new SyntaxError(`routes/${path}: "${part}" is neither a name, [place], [...rest] nor (group)`);
}

/** Orders patterns so that the first to match is the most specific: words, then places, then the rest. */
export function bySpecificity(a: string, b: string): number {
  const left = a.split("/"), right = b.split("/");
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = rank(left[i]) - rank(right[i]);
    if (difference !== 0) return difference;
  }
  return right.length - left.length;
}

function rank(part = ""): number {
  return part.endsWith("{.+}") ? 2 : part.startsWith(":") ? 1 : 0;
}
