/** The command line: which verb does what. */
import type { Pages } from "../agent/http/entry.ts";
import { VERSION } from "../lib/version.ts";
import { asksForHelp } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { speakShellLanguage } from "./language.ts";
import { LOST_BYTE, spelledArguments } from "./lost_bytes.ts";
import { findOwn, type OwnVerb } from "./own_verb.ts";
import { ownVerbs } from "./own_verbs.ts";
import { fitted } from "./text.ts";
import { runVerb } from "./verb/run.ts";

const isHelp = (word: string) => word === "--help" || word === "-h";

async function runOwn(verb: OwnVerb, args: readonly string[]): Promise<number> {
  const { help, run } = await verb.load();
  if (asksForHelp(args)) {
    console.log(fitted(help()));
    return EXIT.done;
  }
  return await run(args);
}

/**
 * Runs the command line; gives the exit status (`EXIT_STATUSES`).
 *
 * @param app what `serve` serves, loaded for it alone
 */
export async function main(args: readonly string[], app: () => Promise<Pages>): Promise<number> {
  // Who completes a word has not sent it.
  const given = args[0] === "__complete" ? args : spelledArguments(args);
  if (given === null) {
    console.error(`kvm-manager: ${LOST_BYTE}`);
    return EXIT.usage;
  }
  const [first, ...rest] = given;
  // The server speaks with each reader in theirs, and writes its log in English; its help is read in the shell
  if (first !== "serve" || asksForHelp(rest)) await speakShellLanguage();
  if (first === "--version" || first === "-V" || (first === "version" && rest.length === 0)) {
    console.log(`kvm-manager ${VERSION}`);
    return EXIT.done;
  }
  if (first === undefined) {
    const { tuiHere } = await import("./tui_here.ts");
    const status = await tuiHere();
    if (status !== undefined) return status;
  }
  const own = ownVerbs(app);
  if (first === undefined || isHelp(first) || (first === "help" && rest.length === 0)) {
    const { usage } = await import("./verb/overview.ts");
    console.log(usage(own));
    return first === undefined ? EXIT.usage : EXIT.done;
  }
  // `help vm start` is `vm start --help`.
  if (first === "help") return await main([...rest, "--help"], app);
  if (first === "__complete") {
    const { complete } = await import("./completion/mod.ts");
    return await complete(rest, own);
  }
  if (first.startsWith("-")) {
    const { leadingOptions } = await import("./leading_options.ts");
    const { options, rest: line } = leadingOptions(given);
    if (options.length > 0 && line.length > 0) {
      const ofOwn = findOwn(own, line), end = line.indexOf("--");
      // Before what a program in a guest is given; else behind all, where none takes what follows for its value.
      const at = ofOwn !== undefined ? line.length - ofOwn.rest.length : end < 0 ? line.length : end;
      return await main([...line.slice(0, at), ...options, ...line.slice(at)], app);
    }
    if (options.length === 0 && first !== "--" && findOwn(own, given) === undefined) {
      const { unknownOption } = await import("./unknown.ts");
      return unknownOption(first);
    }
  }
  const found = findOwn(own, given);
  if (found) return await runOwn(found.verb, found.rest);
  const status = await runVerb(given, undefined, own);
  if (status !== undefined) return status;
  const { unknown } = await import("./unknown.ts");
  return unknown(given, own);
}
