/**
 * The project's modules as they run, without types and comments, and what each needs of which other. A name that a module
 * only hands on (`export { x } from "./y.ts"`, `export * from "./z.ts"`) leads to the module that makes it: who takes an
 * error of the contract does not depend on all of its commands.
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { minify, parseSync, transform } from "rolldown/utils";

/** One module. */
export interface Module {
  /** SHA-256 of its code; comments, types and layout do not change it. */
  readonly digest: string;
  readonly imports: readonly Import[];
  /** Names that it makes itself. */
  readonly own: ReadonlySet<string>;
  /** Name under which it hands something on → where that comes from. */
  readonly handedOn: ReadonlyMap<string, { readonly specifier: string; readonly name: string }>;
  /** Modules of which it hands everything on. */
  readonly stars: readonly string[];
  /** It starts workers. */
  readonly startsWorkers: boolean;
}

/** Names that a module imports from another. */
interface Import {
  readonly specifier: string;
  /** null: whatever it has. */
  readonly names: readonly string[] | null;
}

/** How a module starts a worker by name (`lib/bundle.ts`), and an import at run time. */
const WORKER = /\bworkerUrl\(["`]([^"`]+)["`]/g, DYNAMIC = /\bimport\(["`]([^"`]+)["`]\)/g;

/** Reads a module from its text. @throws {Error} when it is no TypeScript */
export async function moduleOf(path: string, text: string): Promise<Module> {
  const { code, errors } = await transform(path, text, { jsx: "preserve", target: "esnext" });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`);
  const { code: small } = await minify("module.jsx", code, { mangle: false, compress: false });
  const imports: Import[] = [], stars: string[] = [], own = new Set<string>();
  const handedOn = new Map<string, { specifier: string; name: string }>();
  for (const node of parseSync("module.jsx", code).program.body) {
    if (node.type === "ImportDeclaration") {
      imports.push({ specifier: node.source.value, names: namesOf(node.specifiers) });
    } else if (node.type === "ExportAllDeclaration") {
      stars.push(node.source.value);
    } else if (node.type === "ExportDefaultDeclaration") {
      own.add("default");
    } else if (node.type === "ExportNamedDeclaration") {
      for (const { local, exported } of node.specifiers) {
        if (node.source === null) own.add(nameOf(exported));
        else handedOn.set(nameOf(exported), { specifier: node.source.value, name: nameOf(local) });
      }
      for (const name of declared(node.declaration)) own.add(name);
    }
  }
  for (const [, specifier] of small.matchAll(DYNAMIC)) imports.push({ specifier: specifier!, names: null });
  for (const [, worker] of small.matchAll(WORKER)) imports.push({ specifier: `/${worker}`, names: null });
  const digest = createHash("sha256").update(small).digest("hex");
  return { digest, imports, own, handedOn, stars, startsWorkers: /\bnew Worker\(/.test(small) };
}

/** The part of a syntax tree that is looked at. */
interface Named {
  readonly name?: unknown;
  readonly value?: unknown;
}

/** A name: an identifier, or a string where it is none. */
const nameOf = ({ name, value }: Named) => String(name ?? value);

/** The names that an import takes; null: whatever there is, or nothing but that the module has run. */
function namesOf(
  specifiers: readonly { readonly type: string; readonly imported?: Named }[],
): string[] | null {
  if (specifiers.length === 0 || specifiers.some(({ type }) => type === "ImportNamespaceSpecifier")) {
    return null;
  }
  return specifiers.map(({ imported }) => imported === undefined ? "default" : nameOf(imported));
}

/** The names of a declaration; those of a pattern (`const { a } = …`) are not told apart. */
function declared(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { id, declarations } = node as { id?: Named; declarations?: readonly { id: Named }[] };
  return [...id ? [id] : [], ...(declarations ?? []).map((each) => each.id)].map(nameOf);
}

/** Path of a module → the paths of the modules it needs. */
export type Imports = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Modules that each module imports itself.
 *
 * @param aliases names of the import map that lead into the project: `fresh` → `lib/fresh/mod.ts`
 */
export function importsOf(
  modules: ReadonlyMap<string, Module>,
  aliases: ReadonlyMap<string, string> = new Map(),
): Imports {
  function resolve(from: string, specifier: string): string | undefined {
    if (specifier.startsWith(".")) return join(dirname(from), specifier);
    return specifier.startsWith("/") ? specifier.slice(1) : aliases.get(specifier);
  }

  /** Path of the module that defines a name; undefined if it is not known. */
  function place(path: string, name: string, seen = new Set<string>()): string | undefined {
    const module = modules.get(path);
    if (module === undefined || seen.has(path)) return undefined;
    seen.add(path);
    if (module.own.has(name)) return path;
    const source = module.handedOn.get(name), from = source && resolve(path, source.specifier);
    if (from !== undefined) return place(from, source!.name, seen) ?? from;
    for (const star of module.stars) {
      const target = resolve(path, star);
      const found = target === undefined ? undefined : place(target, name, seen);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A module with all that it hands on. */
  function whole(path: string): string[] {
    const { handedOn, stars } = modules.get(path)!;
    const specifiers = [...stars, ...handedOn.values().map(({ specifier }) => specifier)];
    const next = specifiers.map((specifier) => resolve(path, specifier));
    return [
      path,
      ...next.filter((each) => each !== undefined && modules.has(each)).flatMap((each) => whole(each!)),
    ];
  }

  const needed = (path: string, { imports }: Module) =>
    imports.flatMap(({ specifier, names }) => {
      const target = resolve(path, specifier);
      if (target === undefined || !modules.has(target)) return [];
      return names === null ? whole(target) : names.map((name) => place(target, name) ?? target);
    });
  return new Map([...modules].map(([path, module]) => [path, new Set(needed(path, module))]));
}

/** Everything that modules need, directly and through others, themselves included. */
export function closureOf(roots: Iterable<string>, imports: Imports): Set<string> {
  const seen = new Set(roots);
  for (const path of seen) {
    for (const imported of imports.get(path) ?? []) seen.add(imported);
  }
  return seen;
}
