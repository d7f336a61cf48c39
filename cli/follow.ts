/** `kvm-manager events`: what happens, a line of JSON each; `kvm-manager openapi`: the API's description. */
import { openApi } from "../lib/contract/openapi.ts";
import { VERSION } from "../lib/version.ts";
import { parsed } from "./arguments.ts";
import { serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { followOn, LOADS } from "./events.ts";
import { EXIT } from "./exit.ts";
import { listed, targetRows } from "./verb/help.ts";
import { rendered } from "./verb/output.ts";
import { failed } from "./verb/run.ts";

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

export const OPENAPI_HELP = () =>
  [
    "Usage: kvm-manager openapi",
    "",
    "Prints the description of the API (OpenAPI 3.1, JSON) that generators make clients of.",
    "",
    "Examples:",
    "  kvm-manager openapi > api.json && npx openapi-typescript api.json -o api.d.ts",
  ].join("\n");

/** Prints the API's description. */
export function openapi(): Promise<number> {
  console.log(JSON.stringify(openApi(VERSION), null, 2));
  return Promise.resolve(EXIT.done);
}

/** Follows the events until it is ended. */
export async function events(args: readonly string[]): Promise<number> {
  try {
    const { positionals, values } = parsed({
      args: [...args],
      options: TARGET_OPTIONS,
      allowPositionals: true,
    });
    const names: ReadonlySet<string> = new Set(positionals);
    const broke = (reason: string) => console.error(`kvm-manager: ${reason}; trying again`);
    for await (const event of followOn(serverOf(targetOf(values)), new AbortController().signal, broke)) {
      if (event === "opened" || (names.size === 0 ? LOADS.has(event.name) : !names.has(event.name))) continue;
      // One line, that steers no terminal: as every JSON here.
      console.log(rendered(event, "json").replace(/\n\s*/g, ""));
    }
    return EXIT.done;
  } catch (error) {
    return failed(error, ["events"]);
  }
}
