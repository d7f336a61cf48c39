/** Every place of an error's text is filled where the error is made: `{name}` is never what people read. */
import assert from "node:assert/strict";
import { type Command, COMMANDS, ERRORS } from "../lib/contract/mod.ts";
import { identified } from "../lib/contract/lookups.ts";
import { relative } from "node:path";
import { programSources, PROJECT } from "./project.ts";

const PLACES = /\{(\w+)\}/g;
const placesOf = (text: string) => [...text.matchAll(PLACES)].map(([, name]) => name!);

/** The end of what opens at a position: the bracket that closes it. Texts and templates are passed over. */
function closing(source: string, open: number): number {
  let depth = 0;
  for (let at = open; at < source.length; at++) {
    const sign = source[at]!;
    if (sign === '"' || sign === "'" || sign === "`") {
      for (at++; at < source.length && source[at] !== sign; at++) if (source[at] === "\\") at++;
    } else if ("([{".includes(sign)) depth++;
    else if (")]}".includes(sign) && --depth === 0) return at;
  }
  return source.length;
}

/** Parts of a list between its commas, as they stand. */
function partsOf(list: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at <= list.length; at++) {
    const sign = list[at];
    if (sign !== undefined && "([{".includes(sign)) at = closing(list, at);
    else if (sign === '"' || sign === "'" || sign === "`") {
      for (at++; at < list.length && list[at] !== sign; at++) if (list[at] === "\\") at++;
    } else if (sign === "," || sign === undefined) {
      parts.push(list.slice(from, at).trim());
      from = at + 1;
    }
  }
  return parts.filter((part) => part !== "");
}

/** Names of an object that is written down; undefined where it has others that are not seen. */
function namesIn(literal: string): Set<string> | undefined {
  const names = new Set<string>();
  for (const part of partsOf(literal.replace(/^\{/, "").replace(/\}$/, ""))) {
    const spread = /^\.\.\.(\{[\s\S]*\})$/.exec(part)?.[1];
    if (spread !== undefined) {
      const inner = namesIn(spread);
      if (inner === undefined) return undefined;
      for (const name of inner) names.add(name);
      continue;
    }
    const name = /^(\w+)\s*(?::|$)/.exec(part)?.[1];
    if (name === undefined) return undefined;
    names.add(name);
  }
  return names;
}

interface Made {
  readonly code: string;
  readonly missing: string[];
}

/** Errors that are made in a source without all that their text names. */
function unfilled(source: string): Made[] {
  const found: Made[] = [];
  for (const call of source.matchAll(/\b(?:new ContractError|errorText)\(\s*"(\w+)"/g)) {
    const code = call[1]!, open = call.index + call[0].indexOf("(");
    if (!Object.hasOwn(ERRORS, code)) continue;
    const [, details = "{}", options = ""] = partsOf(source.slice(open + 1, closing(source, open)));
    if (/\bmessage\b/.test(options) || !/^(\{|undefined$)/.test(details)) continue;
    const names = details === "undefined" ? new Set<string>() : namesIn(details);
    const { text } = ERRORS[code as keyof typeof ERRORS];
    const missing = names === undefined ? [] : placesOf(text).filter((name) => !names.has(name));
    if (missing.length > 0) found.push({ code, missing });
  }
  return found;
}

Deno.test("errors are made with all that their texts name", async () => {
  const found: string[] = [];
  let seen = 0;
  for (const room of ["agent", "cli", "ffi", "lib", "routes"]) {
    for (const path of await programSources(`${PROJECT}/${room}`)) {
      const source = await Deno.readTextFile(path);
      seen += source.split("new ContractError(").length - 1;
      for (const { code, missing } of unfilled(source)) {
        found.push(`${relative(PROJECT, path)}: ${code} without ${missing.join(", ")}`);
      }
    }
  }
  assert.deepEqual(found, []);
  assert.ok(seen > 300, `${seen} places are looked at`);
});

Deno.test("a text of what is not there names the field that it is looked up by", () => {
  const found = (Object.values(COMMANDS) as Command[]).flatMap(({ lookup }) =>
    (lookup?.fields ?? []).flatMap((field) => {
      const missing = identified(field)?.missing;
      if (missing === undefined) return [];
      const name = field.replace(/s$/, "");
      return placesOf(ERRORS[missing].text).every((place) => place === name) ? [] : [`${missing}: ${name}`];
    })
  );
  assert.deepEqual(found, []);
});

Deno.test("unfilled() sees what is missing, through spreads and texts with brackets", () => {
  const of = (source: string) => unfilled(source).map(({ code, missing }) => `${code} ${missing}`);
  assert.deepEqual(of(`throw new ContractError("VmNotFound", { vm: "(" });`), ["VmNotFound vmId"]);
  assert.deepEqual(of(`new ContractError("VmNotFound")`), ["VmNotFound vmId"]);
  assert.deepEqual(of(`new ContractError("VmNotFound", { ...{ vmId: a(",") } })`), []);
  assert.deepEqual(of(`new ContractError("VmNotFound", { ...rest })`), []);
  assert.deepEqual(of(`new ContractError("VmNotFound", undefined, { message: "x" })`), []);
});
