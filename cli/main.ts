/** The command line: which verb does what. */
import type { Pages } from "../agent/http/entry.ts";
import { VERSION } from "../lib/version.ts";
import { asksForHelp } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { leadingOptions } from "./leading_options.ts";
import { LOST_BYTE, spelledArguments } from "./lost_bytes.ts";
import { findOwn, OWN_OTHER_WORDS, type OwnVerb } from "./own_verb.ts";
import { ownVerbs } from "./own_verbs.ts";
import { didYouMean, inWords } from "./suggestion.ts";
import { fitted } from "./text.ts";
import { findVerb, VERBS as CONTRACT_VERBS, verbsUnder } from "./verb/find.ts";
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

/** Says that nothing has this name, and what has one that is near. */
function unknown(args: readonly string[], own: Readonly<Record<string, OwnVerb>>): number {
  const words = args.filter((each) => !each.startsWith("-"));
  const [name = args[0] ?? "", second] = words;
  const group = verbsUnder([name]);
  if (group.length > 0 && second !== undefined) {
    const near = didYouMean(second, [
      ...group.map(({ words }) => words[1] ?? ""),
      ...[...Object.keys(own), ...Object.keys(OWN_OTHER_WORDS)].flatMap((each) => {
        const [noun, word] = each.split(" ");
        return noun === name && word !== undefined ? [word] : [];
      }),
    ], (each) => `kvm-manager ${name} ${each}`);
    console.error(
      `kvm-manager: unknown verb ${
        JSON.stringify(`${name} ${second}`)
      }.${near} See kvm-manager ${name} --help`,
    );
    return EXIT.usage;
  }
  // `start web1` of who knows virsh, `edit web1`: the verb without its noun, as every noun calls it.
  const nouns = [...new Set(CONTRACT_VERBS.map(({ words }) => words[0]!))];
  const named = nouns.map((noun) => [noun, name]).filter((line) =>
    findOwn(own, line)?.rest.length === 0 || findVerb(line)?.rest.length === 0
  ).map((line) => `kvm-manager ${line.join(" ")}`).slice(0, 3);
  const near = named.length > 0 ? ` Did you mean ${inWords(named)}?` : didYouMean(name, [
    ...Object.keys(own),
    ...CONTRACT_VERBS.map(({ words }) => words[0]!),
    ...CONTRACT_VERBS.filter(({ words }) => words[0] === "vm").map(({ words }) => words[1]!),
  ], (each) => verbsUnder(["vm", each]).length > 0 ? `kvm-manager vm ${each}` : `kvm-manager ${each}`);
  console.error(`kvm-manager: unknown verb ${JSON.stringify(name)}.${near} See kvm-manager --help`);
  return EXIT.usage;
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
  if (first === "--version" || first === "-V" || (first === "version" && rest.length === 0)) {
    console.log(`kvm-manager ${VERSION}`);
    return EXIT.done;
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
  const { options, rest: line } = leadingOptions(given);
  if (options.length > 0 && line.length > 0) {
    // Behind the verb's words, and before what a program in a guest is given.
    const left = (findOwn(own, line) ?? findVerb(line))?.rest.length ?? 0, words = line.length - left;
    return await main([...line.slice(0, words), ...options, ...line.slice(words)], app);
  }
  const found = findOwn(own, given);
  if (found) return await runOwn(found.verb, found.rest);
  return await runVerb(given, undefined, own) ?? unknown(given, own);
}
