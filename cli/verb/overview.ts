/** `kvm-manager --help`: every verb on one page, those of the contract by their nouns. */
import { VERSION } from "../../lib/version.ts";
import { translated } from "../../lib/i18n/locale.ts";
import type { OwnVerb } from "../own_verb.ts";
import { listed, wrapped } from "../text.ts";
import { VERBS } from "./find.ts";

/** What most people come for, in the order they need it. */
const FIRST: readonly (readonly [line: string, text: string])[] = [
  ["vm list", "all VMs, with state and address"],
  ["vm create NAME --image IMAGE", "a new VM; --help has all that it may be made of"],
  ["vm start|stop NAME…", "power; patterns like 'web-*', --wait for the end"],
  ["console NAME", "its serial console"],
];

/** Nouns → their verbs, in the contract's order. */
function nouns(): [string, string][] {
  const found = new Map<string, string[]>();
  for (const { words: [noun = "", ...rest] } of VERBS) {
    const verbs = found.get(noun) ?? [];
    if (rest.length > 0 && !verbs.includes(rest[0]!)) verbs.push(rest[0]!);
    found.set(noun, verbs);
  }
  return [...found].filter(([, verbs]) => verbs.length > 0).map(([noun, verbs]) => [noun, verbs.join(", ")]);
}

/** The page. */
export function usage(own: Readonly<Record<string, OwnVerb>>): string {
  const single = VERBS.filter(({ words }) => words.length === 1);
  return [
    `KVM Manager ${VERSION}`,
    "",
    "Usage: kvm-manager VERB [OPTIONS]",
    "",
    "First of all:",
    ...listed(FIRST),
    "",
    "This program:",
    ...listed(Object.entries(own).map(([name, verb]): [string, string] => [name, verb.summary])),
    "",
    "Commands of the running server, by noun:",
    ...listed(nouns()),
    ...listed(
      single.map(({ words, command }): [string, string] => [words.join(" "), translated(command.summary)]),
    ),
    "",
    ...wrapped(
      "kvm-manager help VERB tells more of a verb, kvm-manager vm of a noun; kvm-manager version tells the version.",
    ),
  ].join("\n");
}
