/** How a verb that failed says so. */
import { SettingsError } from "../../agent/settings_error.ts";
import { ApiError } from "../../lib/client/api.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { verbHelp } from "../../lib/i18n/en/verb_help.ts";
import { translated } from "../../lib/i18n/locale.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { sentence } from "../sentence.ts";
import { EXIT, exitStatus } from "../exit.ts";
import { escapeControlCharacters } from "./cells.ts";
import { UsageError } from "./values.ts";

const { t } = textsOf(shell), { t: help } = textsOf(verbHelp);

/** Sentence that refers to a verb's help. @param line a verb: `kvm-manager vm list` */
export const seeHelp = (line: string): string => t("shell.see_help", { help: `${line} --help` });

/** An error's text as a sentence in the shell's language. */
const saidOf = ({ message }: Error) => escapeControlCharacters(sentence(translated(message)));

/** Tells what went wrong with a verb; gives the exit status. @throws what is no error of its use */
export function failed(error: unknown, words: readonly string[]): number {
  if (error instanceof UsageError || error instanceof SettingsError) {
    const line = ["kvm-manager", ...words].join(" ");
    if (error instanceof UsageError && error.usage !== undefined) {
      console.error(
        `${line}: ${saidOf(error)}\n${help("verb_help.usage", { line: error.usage })}\n${seeHelp(line)}`,
      );
    } else console.error(`${line}: ${saidOf(error)} ${seeHelp(line)}`);
    return EXIT.usage;
  }
  if (!(error instanceof ApiError)) throw error;
  const allowed = allowedOf(error.details);
  console.error(
    `kvm-manager: ${escapeControlCharacters(translated(error.message))}${
      allowed === undefined ? "" : `\n${t("shell.allowed", { allowed: escapeControlCharacters(allowed) })}`
    }`,
  );
  return exitStatus(error);
}

/** Allowed values in an error's details, if they are a text. */
function allowedOf(details: unknown): string | undefined {
  const allowed = details instanceof Object && "allowed" in details ? details.allowed : undefined;
  return typeof allowed === "string" ? allowed : undefined;
}
