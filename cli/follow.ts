/** `kvm-manager events`: what happens, a line of JSON each. */
import { ownHelp } from "./own_help.ts";
import { message } from "../lib/i18n/message.ts";
import { EVENTS } from "../lib/contract/events.ts";
import { parsed } from "./arguments.ts";
import { serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { followOn, LOADS } from "./events.ts";
import { EXIT } from "./exit.ts";
import { didYouMean } from "./suggestion.ts";
import { formatAnswer } from "./verb/output.ts";
import { failed } from "./verb/failure.ts";
import { UsageError } from "./verb/values.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

export const EVENTS_HELP = () =>
  ownHelp({
    usage: "kvm-manager events [NAME...] [OPTIONS]",
    about: [
      message`Prints what happens from now on, a line of JSON each: { name, data }. With names, those events alone. Comes back after a break, and tells what it missed. Loads (vm-stats-updated, host-stats-updated) are told if named.`,
    ],
    server: true,
    examples: [
      "kvm-manager events",
      "kvm-manager events vm-state-changed | jq -r '.data.vmId + \" \" + .data.state'",
    ],
  });

/** Reads its arguments. @throws {UsageError} */
export function readEvents(args: readonly string[]) {
  const { positionals, values } = parsed(args, TARGET_OPTIONS);
  const unknown = positionals.find((name) => !Object.hasOwn(EVENTS, name));
  if (unknown !== undefined) {
    const near = didYouMean(unknown, Object.keys(EVENTS));
    throw new UsageError(message`there is no event ${JSON.stringify(unknown)}${near && `.${near}`}`);
  }
  return { names: new Set(positionals) as ReadonlySet<string>, values };
}

/** Follows the events until it is ended. */
export async function events(args: readonly string[]): Promise<number> {
  try {
    const { names, values } = readEvents(args);
    const broke = (reason: string) => console.error(`kvm-manager: ${t("shell.trying_again", { reason })}`);
    for await (
      const event of followOn(serverOf(await targetOf(values)), new AbortController().signal, broke)
    ) {
      if (event === "opened" || (names.size === 0 ? LOADS.has(event.name) : !names.has(event.name))) continue;
      // One line, that steers no terminal: as every JSON here.
      console.log((await formatAnswer(event, "json")).replace(/\n\s*/g, ""));
    }
    return EXIT.done;
  } catch (error) {
    return failed(error, ["events"]);
  }
}
