/**
 * lib/ is pure: none of its sources names Deno, Node or the DOM, or reaches out of the program. `client/` is the
 * browser's, and `fresh/server/` the server's; what is left of `fresh/` runs on both.
 */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { programSources, PROJECT } from "./project.ts";

const SERVER = ["Deno", "process", "Buffer", "require", "__dirname", "__filename"];
const BROWSER = [
  ...["document", "window", "self", "navigator", "location", "history", "screen", "globalThis"],
  ...["localStorage", "sessionStorage", "indexedDB", "caches", "customElements", "CustomEvent", "CSS"],
  ...["Element", "HTMLElement", "SVGElement", "Node", "DOMParser", "FormDataEvent", "MutationObserver"],
  ...["ResizeObserver", "IntersectionObserver", "Image", "FileReader", "MouseEvent", "KeyboardEvent"],
  ...["addEventListener", "removeEventListener", "dispatchEvent", "alert", "confirm", "prompt"],
  ...["matchMedia", "getComputedStyle", "requestAnimationFrame", "cancelAnimationFrame"],
];
const OUTSIDE = ["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "Worker", "BroadcastChannel"];

/** Names that a source may not use, by its folder; the first that fits counts. */
const FORBIDDEN: readonly (readonly [folder: string, names: readonly string[], node: boolean])[] = [
  ["lib/client/", SERVER, true],
  ["lib/fresh/server/", BROWSER, false],
  // It hydrates in the browser what the server rendered.
  ["lib/fresh/", SERVER, true],
  ["lib/", [...SERVER, ...BROWSER, ...OUTSIDE], true],
];

/** Any node of the tree: of Deno's, each with a type of its own, only what all have. */
interface AnyNode {
  readonly type: string;
  readonly range: readonly [from: number, to: number];
  readonly parent: AnyNode;
}

/** Nodes that have variables of their own. */
const SCOPES =
  /^(Program|BlockStatement|For(In|Of)?Statement|CatchClause|StaticBlock|SwitchStatement|Class(Declaration|Expression)|(Function|ArrowFunction)(Declaration|Expression)|TSEmptyBodyFunctionExpression|TSFunctionType|TSMethodSignature)$/;
const isFunction = (type: string) => /^(Function|ArrowFunction)|^TS(Empty|FunctionType|MethodSig)/.test(type);

/** Whether a node holds a name without meaning a variable of it: `a.name`, `{ name: 1 }`, a type's field. */
function isLabel(node: AnyNode, parent: AnyNode): boolean {
  const at = parent as unknown as Record<string, unknown>;
  if (parent.type === "TSQualifiedName") return at.right === node;
  if (at.computed === true) return false;
  if (parent.type === "MemberExpression") return at.property === node;
  if (parent.type === "Property") return at.key === node && at.shorthand !== true;
  if (/^(PropertyDefinition|MethodDefinition|TS(Property|Method)Signature|TSEnumMember)$/.test(parent.type)) {
    return at.key === node || at.id === node;
  }
  return /^(ImportSpecifier|ExportSpecifier|LabeledStatement|BreakStatement|ContinueStatement)$/
    .test(parent.type) && (at.imported === node || at.exported === node || at.label === node);
}

/** Scope of the name that a node declares; undefined for a node that declares none. */
function scopeDeclared(node: AnyNode): AnyNode | undefined {
  let child = node, at = node.parent;
  // Out of a pattern: `{ a: name = 1 }`, `[name]`, `...name`, a constructor's own parameter.
  while (
    (at.type === "Property" && (at as unknown as { value: unknown }).value === child) ||
    /^(ObjectPattern|ArrayPattern|RestElement|TSParameterProperty)$/.test(at.type) ||
    (at.type === "AssignmentPattern" && (at as unknown as { left: unknown }).left === child)
  ) {
    child = at;
    at = at.parent;
  }
  const parts = at as unknown as { id?: unknown; local?: unknown; param?: unknown; params?: unknown[] };
  if (isFunction(at.type) && parts.params?.includes(child)) return at;
  if (at.type === "CatchClause" && parts.param === child) return at;
  const isOwn = at.type === "VariableDeclarator" ||
    /^(Function|Class|TSInterface|TSTypeAlias|TSEnum)/.test(at.type);
  const isName = /^Import/.test(at.type) ? parts.local === child : isOwn && parts.id === child;
  if (!isName) return undefined;
  let scope = at.parent;
  while (!SCOPES.test(scope.type)) scope = scope.parent;
  return scope;
}

/** Names of `forbidden` that a source means as globals, and modules of Node it imports: by their names. */
function namesIn(source: string, forbidden: ReadonlySet<string>, noNode: boolean): string[] {
  const modules: string[] = [];
  // By place: a name in short (`{ name }`) is its property's key and value, and visited as both.
  const used = new Map<number, { node: AnyNode; name: string }>();
  const declared = new Map<string, Set<AnyNode>>();
  const onModule = ({ source: from }: { readonly source: { readonly value?: unknown } | null }) => {
    const name = from?.value;
    if (noNode && typeof name === "string" && name.startsWith("node:")) modules.push(name);
  };
  Deno.lint.runPlugin(
    {
      name: "purity",
      rules: {
        names: {
          create: () => ({
            ImportDeclaration: onModule,
            ExportNamedDeclaration: onModule,
            ExportAllDeclaration: onModule,
            ImportExpression: (node) => onModule(node as unknown as Parameters<typeof onModule>[0]),
            Identifier(found) {
              const node = found as AnyNode;
              if (!forbidden.has(found.name)) return;
              const scope = scopeDeclared(node);
              if (scope !== undefined) declared.getOrInsertComputed(found.name, () => new Set()).add(scope);
              else if (!isLabel(node, node.parent)) used.set(node.range[0], { node, name: found.name });
            },
          }),
        },
      },
    },
    "source.tsx",
    source,
  );
  const isGlobal = ({ node, name }: { node: AnyNode; name: string }) => {
    const scopes = [...declared.get(name) ?? []].map(({ range }) => range);
    return !scopes.some(([from, to]) => from <= node.range[0] && node.range[1] <= to);
  };
  return [...modules, ...[...used.values()].filter(isGlobal).map(({ name }) => name)];
}

Deno.test("a global is told from a variable, a field and a word of that name", () => {
  const found = (source: string) => namesIn(source, new Set(["document", "fetch", "Deno"]), true);
  for (
    const source of [
      "export function f(document: string) { return document.length; }",
      "const make = ({ a: document = 1 }) => document; make({});",
      "import { document } from './a.ts'; document();",
      "const fields = { document: 1, fetch() {} }; fields.document;",
      "type A = { document: string; fetch(): void }; type F = (document: string) => void;",
      "// document, fetch and Deno are words here\nconst text = 'document', other = `fetch`; /document/;",
      "for (const document of []) document; try { a(); } catch (fetch) { fetch; }",
    ]
  ) assert.deepEqual(found(source), [], source);
  assert.deepEqual(found("export const title = document.title;"), ["document"]);
  assert.deepEqual(found("function f(document: string) { return document; } document.title;"), ["document"]);
  assert.deepEqual(found("const all = { fetch };"), ["fetch"]);
  assert.deepEqual(found("const a = { [document]: 1 }; const b = a[fetch];"), ["document", "fetch"]);
  assert.deepEqual(found("let a: Deno.Conn; const text = `${fetch}`;"), ["Deno", "fetch"]);
  assert.deepEqual(found('import { readFile } from "node:fs"; await import("node:os");'), [
    "node:fs",
    "node:os",
  ]);
});

Deno.test("lib/ names no Deno, no Node, no DOM, and does not reach out", async () => {
  const wrong: string[] = [];
  let seen = 0;
  for (const path of await programSources(join(PROJECT, "lib"))) {
    const place = relative(PROJECT, path);
    const [, names, noNode] = FORBIDDEN.find(([folder]) => place.startsWith(folder))!;
    seen++;
    const found = namesIn(await Deno.readTextFile(path), new Set(names), noNode);
    wrong.push(...new Set(found.map((name) => `${place} names ${name}`)));
  }
  assert.ok(seen > 100, "the test looks in the wrong place");
  assert.deepEqual(wrong, []);
});
