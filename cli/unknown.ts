/** A verb that there is not, and what is near. Loaded when somebody mistyped alone. */
import { message, render } from "../lib/i18n/message.ts";
import { TARGET_OPTIONS } from "./connect/target.ts";
import { EXIT } from "./exit.ts";
import { sameVerbs, verbForOtherTool } from "./other_tools.ts";
import { findOwn, OWN_OTHER_WORDS, type OwnVerb } from "./own_verb.ts";
import { didYouMean, inWords } from "./suggestion.ts";
import { COMMON_OPTIONS } from "./verb/common.ts";
import { findVerb, VERBS as CONTRACT_VERBS, verbsUnder } from "./verb/find.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

const suggested = (lines: readonly string[]) => ` ${t("shell.did_you_mean", { names: inWords(lines) })}`;

/** Says that nothing has this name, and what has one that is near. */
export function unknown(args: readonly string[], own: Readonly<Record<string, OwnVerb>>): number {
  const words = args.filter((each) => !each.startsWith("-"));
  const [name = args[0] ?? "", second] = words;
  const inner = second === undefined ? [] : verbsUnder([name, second]);
  if (inner.length > 0) {
    const lines = inner.map(({ words }) => `kvm-manager ${words.join(" ")}`);
    console.error(
      `kvm-manager: ${render(message`${`${name} ${second}`} has verbs of its own: ${inWords(lines)}`)}`,
    );
    return EXIT.usage;
  }
  const group = verbsUnder([name]);
  if (group.length > 0 && second !== undefined) {
    const same = sameVerbs(second).filter((word) => group.some(({ words }) => words[1] === word));
    const near = same.length > 0
      ? suggested(same.map((word) => `kvm-manager ${name} ${word}`))
      : didYouMean(second, [
        ...group.map(({ words }) => words[1] ?? ""),
        ...[...Object.keys(own), ...Object.keys(OWN_OTHER_WORDS)].flatMap((each) => {
          const [noun, word] = each.split(" ");
          return noun === name && word !== undefined ? [word] : [];
        }),
      ], (each) => `kvm-manager ${name} ${each}`);
    const verb = JSON.stringify(`${name} ${second}`);
    console.error(
      `kvm-manager: ${t("shell.unknown_verb", { verb, near, help: `kvm-manager ${name} --help` })}`,
    );
    return EXIT.usage;
  }
  // `start web1` of who knows virsh, `edit web1`: the verb without its noun, as every noun calls it.
  const nouns = [...new Set(CONTRACT_VERBS.map(({ words }) => words[0]!))];
  const named = nouns.map((noun) => [noun, name]).filter((line) =>
    findOwn(own, line)?.rest.length === 0 || findVerb(line)?.rest.length === 0
  ).map((line) => `kvm-manager ${line.join(" ")}`).slice(0, 3);
  const known = verbForOtherTool(name);
  const near = known !== undefined
    ? suggested([`kvm-manager ${known}`])
    : named.length > 0
    ? suggested(named)
    : didYouMean(name, [
      ...Object.keys(own),
      ...CONTRACT_VERBS.map(({ words }) => words[0]!),
      ...CONTRACT_VERBS.filter(({ words }) => words[0] === "vm").map(({ words }) => words[1]!),
    ], (each) => verbsUnder(["vm", each]).length > 0 ? `kvm-manager vm ${each}` : `kvm-manager ${each}`);
  const verb = JSON.stringify(name);
  console.error(`kvm-manager: ${t("shell.unknown_verb", { verb, near, help: "kvm-manager --help" })}`);
  return EXIT.usage;
}

/** Says that no verb has this option. */
export function unknownOption(word: string): number {
  const [option = ""] = word.split("=");
  const near = didYouMean(
    option,
    [...Object.keys(COMMON_OPTIONS), ...Object.keys(TARGET_OPTIONS)].map((each) => `--${each}`),
  );
  console.error(
    `kvm-manager: ${render(message`unknown option ${JSON.stringify(option)} before the verb.${near}`)} ${
      t("shell.see_help", { help: "kvm-manager --help" })
    }`,
  );
  return EXIT.usage;
}
