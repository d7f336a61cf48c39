/** The syntax tree of a source, as far as texts are looked for in it. */
import { parseAst } from "rolldown/parseAst";

/** A node of the tree (ESTree), with the fields that its type has. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

/** The node in a field; undefined where it has none. */
export function childNode(node: Node | undefined, field: string): Node | undefined {
  const value = node?.[field];
  return isNode(value) ? value : undefined;
}

/** The nodes in a field that is a list. */
export function childNodes(node: Node | undefined, field: string): Node[] {
  const value = node?.[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** All nodes of a source, outer ones first. @param path where it is: the ending says whether it has JSX */
export function nodesOf(source: string, path = "source.ts"): Node[] {
  const nodes: Node[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (isNode(value)) {
      nodes.push(value);
      for (const field in value) walk(value[field]);
    }
  };
  walk(parseAst(source, { lang: path.endsWith("x") ? "tsx" : "ts" }));
  return nodes;
}

/** The name of an identifier, or of a property that is reached by its name. */
export function nameOf(node: Node | undefined): string | undefined {
  if (node?.type === "Identifier") return String(node.name);
  if (node?.type === "MemberExpression" && node.computed === false) {
    return nameOf(childNode(node, "property"));
  }
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

/** Parts of a template's text, between its values. */
export const quasisOf = (template: Node): string[] =>
  childNodes(template, "quasis").map(({ value }) => (value as { readonly cooked: string }).cooked);

/** The text of a literal, also of several that are added; undefined for another node. */
export function literalOf(node: Node | undefined): string | undefined {
  if (node?.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  if (node?.type === "TemplateLiteral") {
    const quasis = quasisOf(node);
    return quasis.length === 1 ? quasis[0] : undefined;
  }
  if (node?.type !== "BinaryExpression" || node.operator !== "+") return undefined;
  const left = literalOf(childNode(node, "left")), right = literalOf(childNode(node, "right"));
  return left === undefined || right === undefined ? undefined : left + right;
}

/** Possible values of an expression: the branches of its conditions, without casts. */
export function branchesOf(node: Node | undefined): Node[] {
  if (node === undefined) return [];
  const of = (...fields: string[]) => fields.flatMap((field) => branchesOf(childNode(node, field)));
  switch (node.type) {
    case "ConditionalExpression":
      return of("consequent", "alternate");
    case "LogicalExpression":
      return of("left", "right");
    case "TSAsExpression":
    case "TSNonNullExpression":
    case "TSSatisfiesExpression":
    case "ParenthesizedExpression":
    case "AwaitExpression":
      return of("expression", "argument");
    case "ArrayExpression":
      return childNodes(node, "elements").flatMap(branchesOf);
    default:
      return [node];
  }
}
