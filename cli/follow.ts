/** `kvm-manager events`: what happens, a line of JSON each. */
import { parsed } from "./arguments.ts";
import { serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { followOn, LOADS } from "./events.ts";
import { EXIT } from "./exit.ts";
import { listed } from "./text.ts";
import { targetRows } from "./verb/help.ts";
import { rendered } from "./verb/output.ts";
import { failed } from "./verb/failure.ts";

export const EVENTS_HELP = () =>
  [
    "Usage: kvm-manager events [NAME...] [OPTIONS]",
    "",
    "Prints what happens from now on, a line of JSON each: { name, data }. With names, those events alone.",
    "Comes back after a break, and tells what it missed. Loads (vm-stats-updated, host-stats-updated) are told if named.",
    "",
    "Which server:",
    ...listed(targetRows()),
    "",
    "Examples:",
    "  kvm-manager events",
    "  kvm-manager events vm-state-changed | jq -r '.data.vmId + \" \" + .data.state'",
  ].join("\n");

/** Follows the events until it is ended. */
export async function events(args: readonly string[]): Promise<number> {
  try {
    const { positionals, values } = parsed(args, TARGET_OPTIONS);
    const names: ReadonlySet<string> = new Set(positionals);
    const broke = (reason: string) => console.error(`kvm-manager: ${reason}; trying again`);
    for await (
      const event of followOn(serverOf(await targetOf(values)), new AbortController().signal, broke)
    ) {
      if (event === "opened" || (names.size === 0 ? LOADS.has(event.name) : !names.has(event.name))) continue;
      // One line, that steers no terminal: as every JSON here.
      console.log((await rendered(event, "json")).replace(/\n\s*/g, ""));
    }
    return EXIT.done;
  } catch (error) {
    return failed(error, ["events"]);
  }
}
