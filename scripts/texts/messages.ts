/**
 * English texts of messages in the program's sources: the keys of their translations. They are found in the syntax tree,
 * where `lib/i18n/message.ts` looks them up: templates of messages, and phrases that fill places or are an answer's sentences.
 */
import { join } from "node:path";
import { HIDDEN_MESSAGE, HIDDEN_VM } from "../../lib/access/redact.ts";
import { seriesPhrase } from "../../lib/alerts/words.ts";
import { HOST_ALERT_SERIES, VM_ALERT_SERIES } from "../../lib/contract/alert_series.ts";
import { WARNINGS } from "../../lib/contract/create.ts";
import { type ErrorKind, ERRORS } from "../../lib/contract/errors.ts";
import { LISTED_MORE } from "../../lib/i18n/message.ts";
import { PHRASE_PLACES, SENTENCE_FIELDS } from "../../lib/i18n/phrases.ts";
import { programSources, PROJECT } from "../project.ts";
import {
  branchesOf,
  childNode,
  childNodes,
  literalOf,
  nameOf,
  type Node,
  nodesOf,
  quasisOf,
} from "./syntax.ts";

/** Folders of sources whose messages are read by people. */
const FOLDERS = ["lib", "agent", "cli", "routes", "components"];

/** Functions that make an error, a finding or a log's line of the texts that they are given. */
export const PHRASE_CALLS: ReadonlySet<string> = new Set(
  "fail failed failure foreignRefused invalid judged log mismatch needsAction notPossible notSealed ovaRefused ownVerb passed problem refuse refusal refused targetUnusable unavailable unreachable unusable"
    .split(" "),
);

/** Errors of what people have written or brought: their texts are reasons of others. */
const OWN_ERROR = /^(?!Type|Range|Syntax|Internal|Contract)\w+(?:Error|Refused|Unusable|Fault)$/;

/** Whether a text is a phrase of English words, and no name, pattern or command of another program. */
export const isEnglish = (text: string): boolean =>
  /[a-z]{2}/i.test(text) && /\S \S/.test(text) && !/^[<{/@]/.test(text);

/** Constants and functions of a source, by name. */
function declared(nodes: readonly Node[]): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const node of nodes) {
    const name = nameOf(childNode(node, "id"));
    if (name === undefined) continue;
    if (node.type === "FunctionDeclaration") found.set(name, node);
    else if (node.type === "VariableDeclarator") {
      const init = childNode(node, "init");
      if (init !== undefined) found.set(name, init);
    }
  }
  return found;
}

/** Nodes below a node, itself too, without those of functions in it. */
function below(node: Node, isOutermost = true): Node[] {
  if (!isOutermost && /Function/.test(node.type)) return [];
  const inner = Object.values(node).flatMap((value) => Array.isArray(value) ? value : [value]).filter((
    each,
  ): each is Node => typeof each === "object" && each !== null && "type" in each);
  return [node, ...inner.flatMap((each) => below(each, false))];
}

/** Expressions that a function returns. */
function returnsOf(made: Node): Node[] {
  const body = childNode(made, "body");
  if (body === undefined) return [];
  if (body.type !== "BlockStatement") return [body];
  return below(body).filter(({ type }) => type === "ReturnStatement")
    .flatMap((each) => childNode(each, "argument") ?? []);
}

/** Reads the phrases that an expression can be, through the constants, tables and functions of its source. */
class PhraseReader {
  readonly #seen = new Set<Node>();

  constructor(private readonly declared: ReadonlyMap<string, Node>) {}

  /** @param isOneWord whether a single word is a phrase here */
  of(expression: Node | undefined, isOneWord: boolean): string[] {
    return branchesOf(expression).flatMap((node) => {
      const text = literalOf(node);
      if (text !== undefined) return isEnglish(text) || isOneWord && /^[a-z]+$/i.test(text) ? [text] : [];
      return this.#named(node);
    });
  }

  #named(node: Node): string[] {
    const isTable = node.type === "MemberExpression", isCall = node.type === "CallExpression";
    const name = node.type === "Identifier"
      ? nameOf(node)
      : isTable
      ? nameOf(childNode(node, "object"))
      : isCall
      ? nameOf(childNode(node, "callee"))
      : undefined;
    const found = name === undefined ? undefined : this.declared.get(name);
    if (found === undefined || this.#seen.has(found)) return [];
    this.#seen.add(found);
    if (isCall) return returnsOf(found).flatMap((each) => this.of(each, false));
    if (isTable) {
      return below(found).filter(({ type }) => type === "Property")
        .flatMap((each) => this.of(childNode(each, "value"), false));
    }
    return this.of(found, false);
  }
}

/** Whether a declared type has `Sentence` in it. */
const isOfSentences = (source: string, type: Node | undefined): boolean =>
  type !== undefined && /\bSentence\b|\bFinding\b/.test(source.slice(type.start, type.end));

/** The text of a template of a message, with `{0}`, `{1}` … for its values. */
const templateText = (template: Node): string =>
  quasisOf(template).reduce((text, part, at) => `${text}{${at - 1}}${part}`);

/** The English texts of messages in a source, and the phrases that fill them. @param path where it is */
export function messagesOf(source: string, path?: string): string[] {
  const nodes = nodesOf(source, path), names = declared(nodes), texts: string[] = [];
  const add = (expression: Node | undefined, isOneWord = false) =>
    texts.push(...new PhraseReader(names).of(expression, isOneWord));
  for (const node of nodes) {
    const callee = nameOf(childNode(node, "callee"));
    if (node.type === "TaggedTemplateExpression" && nameOf(childNode(node, "tag")) === "message") {
      const quasi = childNode(node, "quasi");
      if (quasi !== undefined) texts.push(templateText(quasi));
    } else if (node.type === "Property") {
      const name = nameOf(childNode(node, "key"));
      if (name === "$text") {
        const text = literalOf(childNode(node, "value"));
        if (text !== undefined) texts.push(text);
      } else if (name !== undefined && (PHRASE_PLACES.has(name) || SENTENCE_FIELDS.has(name))) {
        add(childNode(node, "value"));
      }
    } else if (node.type === "CallExpression" && callee !== undefined && PHRASE_CALLS.has(callee)) {
      // The fourth of a finding is a command
      for (const each of childNodes(node, "arguments").slice(0, 3)) add(each);
    } else if (node.type === "NewExpression" && callee === "ContractError") {
      const [, details] = childNodes(node, "arguments");
      for (const each of childNodes(details, "properties")) {
        if (PHRASE_PLACES.has(nameOf(childNode(each, "key")) ?? "")) add(childNode(each, "value"), true);
      }
    } else if (node.type === "NewExpression" && callee !== undefined && OWN_ERROR.test(callee)) {
      for (const each of childNodes(node, "arguments")) add(each);
    } else if (/Function/.test(node.type) && isOfSentences(source, childNode(node, "returnType"))) {
      for (const each of returnsOf(node)) add(each);
    } else if (node.type === "VariableDeclarator") {
      if (isOfSentences(source, childNode(childNode(node, "id"), "typeAnnotation"))) {
        add(childNode(node, "init"));
      }
    }
  }
  return texts.filter((text) => /[a-z]{2}/i.test(text.replace(/\{\w+\}/g, "")));
}

/** All of the program, with the texts of errors and warnings. */
export async function allMessages(): Promise<Set<string>> {
  const paths = (await Promise.all(FOLDERS.map((name) => programSources(join(PROJECT, name))))).flat();
  const found = await Promise.all(
    paths.filter((path) => !path.includes("/i18n/en")).map(async (path) =>
      messagesOf(await Deno.readTextFile(path), path)
    ),
  );
  return new Set([
    ...(Object.values(ERRORS) as ErrorKind[]).flatMap(({ text, byVerb }) =>
      byVerb ? Object.values(byVerb) : [text]
    ),
    ...Object.values(WARNINGS),
    ...[HIDDEN_VM, HIDDEN_MESSAGE, LISTED_MORE],
    ...Object.keys({ ...VM_ALERT_SERIES, ...HOST_ALERT_SERIES }).map(seriesPhrase),
    ...found.flat(),
  ]);
}
