/** `kvm-manager vm wait NAME… WHAT`: until VMs are in a state, their guest agents answer, or they have an address. */
import { COMMON_OPTIONS } from "./verb/common.ts";
import { ownHelp } from "./own_help.ts";
import { message } from "../lib/i18n/message.ts";
import { parsed } from "./arguments.ts";
import { serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { EXIT } from "./exit.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { failed } from "./verb/failure.ts";
import { Resources } from "./verb/resolve_ids.ts";
import { UsageError } from "./verb/values.ts";
import { timeoutOf, waitForVms } from "./verb/wait.ts";
import { WAITED_FOR } from "./verb/waited_for.ts";

const USAGE = `kvm-manager vm wait <vmId...> <${WAITED_FOR.join("|")}> [--timeout TIME] [OPTIONS]`;

export const WAIT_HELP = () =>
  ownHelp({
    usage: USAGE,
    about: [
      message`Waits until each of the VMs is in that state, its guest agent answers, or it has an address.`,
      message`Exit status: 0 it is so; ${EXIT.notInTime} not in time; others as for all verbs.`,
    ],
    options: [["--timeout TIME", COMMON_OPTIONS.timeout.text]],
    server: true,
    examples: [
      "kvm-manager vm wait web1 agent --timeout 5m",
      "kvm-manager vm stop 'web-*' && kvm-manager vm wait 'web-*' stopped",
    ],
  });

/** Reads its arguments. @throws {UsageError} */
export function readWait(args: readonly string[]) {
  const { positionals, values } = parsed(args, { ...TARGET_OPTIONS, timeout: { type: "string" } });
  const what = WAITED_FOR.find((each) => each === positionals.at(-1));
  const names = positionals.slice(0, -1);
  if (what === undefined) throw new UsageError(message`say last what for: ${WAITED_FOR.join(", ")}`, USAGE);
  if (names.length === 0) throw new UsageError("missing <vmId>", USAGE);
  return { names, what, milliseconds: timeoutOf(values.timeout), values };
}

/** Waits; gives the exit status. */
export async function waitCommand(args: readonly string[]): Promise<number> {
  try {
    const { names, what, milliseconds, values } = readWait(args);
    const server = serverOf(await targetOf(values));
    const resources = new Resources(server);
    const ids = (await Promise.all(names.map((name) => resources.ids("vmId", name)))).flat();
    let status: number = EXIT.done;
    for (const [id, why] of await waitForVms(server, [...new Set(ids)], what, milliseconds)) {
      if (why === undefined) continue;
      status = EXIT.notInTime;
      console.error(`kvm-manager: ${escapeControlCharacters(await resources.nameOf("vmId", id))}: ${why}`);
    }
    return status;
  } catch (error) {
    return failed(error, ["vm", "wait"]);
  }
}
