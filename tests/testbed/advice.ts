/** Texts of the source that advise something, found in its syntax: whatever says what to do next. */
import { join, relative } from "node:path";
import { programSources, PROJECT } from "../../scripts/project.ts";

/** Verbs that advice begins with. */
const VERBS =
  "add|allow|ask|attach|begin|change|check|choose|close|connect|continue|create|delete|detach|discard|do|eject|empty|end|enter|" +
  "export|find|finish|force|free|give|go|insert|install|keep|leave|let|limit|load|look|make|mount|move|name|open|pick|" +
  "put|raise|reboot|remove|rename|repair|replace|restart|restore|resume|retry|revert|run|save|say|see|set|share|shut|" +
  "sign|start|stop|switch|take|tell|try|turn|type|unmount|unpack|update|upload|use|verify|wait|write";

const EITHER_CASE = VERBS.replace(/\b[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);

/** A sentence, or a part of one, that begins with such a verb; or what has to be before another try. */
const ADVICE = new RegExp(
  `^(?:say|give) |(?:[.;:?)]|, (?:or|then)) (?:${EITHER_CASE})\\b(?!:|-)|\\b(?:first|instead)\\b`,
);
/** Texts that have these words without being advice: counts, other meanings, statements of SQL. */
const NO_ADVICE =
  /\b(?:at|the|its|anybody would try|copied|this host) first\b|first (?:line|table)|is used instead|^connection: close$|'none'/g;
const IS_SQL = /^\s*(?:CREATE|INSERT|DELETE|UPDATE|SELECT|WITH) [A-Z*]|^SELECT /;

/** Whether a text says what to do. */
export const advises = (text: string): boolean =>
  !IS_SQL.test(text) && ADVICE.test(text.replaceAll(NO_ADVICE, ""));

/** A text in the source; `…` stands for what is put in when it is said. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

type Node = Deno.lint.Node;

/** The text of a literal, a template, or several joined by `+`; undefined for other expressions. */
function textOf(node: Node): string | undefined {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  if (node.type === "TemplateLiteral") return node.quasis.map(({ cooked }) => cooked).join("…");
  if (node.type !== "BinaryExpression" || node.operator !== "+") return undefined;
  const left = textOf(node.left), right = textOf(node.right);
  return left === undefined && right === undefined ? undefined : (left ?? "…") + (right ?? "…");
}

/** Parent of a node; undefined for the tree's root. */
const parentOf = (node: Node) => (node as { readonly parent?: Node }).parent;

/** Whether an expression is, by its name, advice: `remedy: …`, `const advice = …`. */
function isNamedAdvice(node: Node): boolean {
  const parent = parentOf(node);
  if (parent?.type === "ConditionalExpression" || parent?.type === "TaggedTemplateExpression") {
    return isNamedAdvice(parent);
  }
  const name = parent?.type === "Property" ? parent.key : parent?.type === "VariableDeclarator" && parent.id;
  return name !== false && name?.type === "Identifier" && /^(?:remedy|advice)$/.test(name.name);
}

/** Texts of a module that are wanted. @param wants judges a text, and whether it is advice by its name */
function textsIn(file: string, source: string, wants: (text: string, isNamed: boolean) => boolean) {
  const found: SourceText[] = [];
  const see = (node: Node) => {
    const parent = parentOf(node);
    if (parent?.type === "BinaryExpression" && parent.operator === "+") return;
    const text = textOf(node);
    if (text?.includes(" ") && wants(text, isNamedAdvice(node))) found.push({ file, text });
  };
  const rule = { create: () => ({ Literal: see, TemplateLiteral: see, BinaryExpression: see }) };
  Deno.lint.runPlugin({ name: "texts", rules: { texts: rule } }, file, source);
  return found;
}

/** Texts of folders' modules, tests left out, that advise something, or that are wanted. @param left modules that are left out, by their path */
export async function sourceTexts(
  folders: readonly string[],
  left: RegExp,
  wants = (text: string, isNamed: boolean) => isNamed || advises(text),
): Promise<SourceText[]> {
  const found: SourceText[] = [];
  for (const folder of folders) {
    for (const path of await programSources(join(PROJECT, folder))) {
      const file = relative(PROJECT, path);
      if (left.test(file)) continue;
      found.push(...textsIn(file, await Deno.readTextFile(path), wants));
    }
  }
  return found;
}
