/** How a verb that failed says so. */
import { SettingsError } from "../../agent/settings_error.ts";
import { ApiError } from "../../lib/client/api.ts";
import { EXIT, exitStatus } from "../exit.ts";
import { escapeControlCharacters } from "./cells.ts";
import { UsageError } from "./values.ts";

/** A sentence: with its end, where it has none yet. */
const sentence = (text: string) => /[.?!]$/.test(text) ? text : `${text}.`;

/** Tells what went wrong with a verb; gives the exit status. @throws what is no error of its use */
export function failed(error: unknown, words: readonly string[]): number {
  if (error instanceof UsageError || error instanceof SettingsError) {
    const line = ["kvm-manager", ...words].join(" ");
    if (error instanceof UsageError && error.usage !== undefined) {
      console.error(
        `${line}: ${
          escapeControlCharacters(sentence(error.message))
        }\nUsage: ${error.usage}\nSee ${line} --help`,
      );
    } else console.error(`${line}: ${escapeControlCharacters(sentence(error.message))} See ${line} --help`);
    return EXIT.usage;
  }
  if (!(error instanceof ApiError)) throw error;
  const allowed = allowedOf(error.details);
  console.error(
    `kvm-manager: ${escapeControlCharacters(error.message)}${
      allowed === undefined ? "" : `\nAllowed: ${escapeControlCharacters(allowed)}`
    }`,
  );
  return exitStatus(error);
}

/** What an error says is allowed, where its text is shorter than that. */
function allowedOf(details: unknown): string | undefined {
  const allowed = details instanceof Object && "allowed" in details ? details.allowed : undefined;
  return typeof allowed === "string" ? allowed : undefined;
}
