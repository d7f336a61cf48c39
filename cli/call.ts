/** `kvm-manager call NAME [JSON]`: one command of the running server, as JSON. */
import { translated } from "../lib/i18n/locale.ts";
import { message } from "../lib/i18n/message.ts";
import { ownHelp } from "./own_help.ts";
import { SettingsError } from "../agent/settings_error.ts";
import { ApiError } from "../lib/client/api.ts";
import { COMMANDS } from "../lib/contract/mod.ts";
import { parseJson } from "../lib/text/json.ts";
import { parsed } from "./arguments.ts";
import { type Server, serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { EXIT, EXIT_STATUSES, exitStatus } from "./exit.ts";
import { printUsageError } from "./host_verb.ts";

export const CALL_HELP = () =>
  ownHelp({
    usage: "kvm-manager call NAME [JSON] [OPTIONS]",
    about: [
      message`Carries out a command of the running server; JSON is its input, - reads it from standard input.`,
      message`Prints the answer as JSON. An error goes to standard error, and the exit status tells its kind: ${
        Object.values(EXIT_STATUSES).map(([status, text]) => `${status} ${translated(text)}`).join("; ")
      }.`,
    ],
    commands: Object.entries(COMMANDS).map(([name, { summary }]) => [name, translated(summary)]),
    server: true,
  });

/** Reads its arguments. @throws {SettingsError} */
export function readCall(args: readonly string[]) {
  const { positionals, values } = parsed(args, TARGET_OPTIONS);
  const [name, text = "{}"] = positionals;
  if (name === undefined || positionals.length > 2) {
    throw new SettingsError("give a command's name and its input");
  }
  return { name, text, values };
}

/** Carries a command out; gives the exit status. */
export async function callCommand(args: readonly string[]): Promise<number> {
  let name: string, input: unknown, server: Server;
  try {
    const given = readCall(args);
    name = given.name;
    input = parseJson(given.text === "-" ? await new Response(Deno.stdin.readable).text() : given.text);
    server = serverOf(await targetOf(given.values));
  } catch (error) {
    printUsageError("call", error);
    return EXIT.usage;
  }
  try {
    console.log(JSON.stringify(await server.call(name, input), null, 2));
    return 0;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, message, details } = error;
    console.error(JSON.stringify({ code, message, ...(details !== undefined && { details }) }, null, 2));
    return exitStatus(error);
  }
}
