/** `kvm-manager call NAME [JSON]`: one command of the running server, as JSON. */
import { parseArgs } from "node:util";
import { SettingsError } from "../agent/settings.ts";
import { ApiError } from "../lib/client/api.ts";
import { COMMANDS } from "../lib/contract/mod.ts";
import { exitStatus, serverAt, SOCKET_HELP, SOCKET_OPTIONS, socketOf } from "./socket.ts";

export const CALL_HELP = () =>
  [
    "Usage: kvm-manager call NAME [JSON] [--socket FILE]",
    "",
    "Carries out a command of the running server; JSON is its input, - reads it from standard input.",
    "Prints the answer as JSON. An error goes to standard error, and the exit status tells its kind:",
    "2 wrong input, 3 libvirt or server away, 4 not found, 5 not possible now, 6 not allowed, 1 any other.",
    "",
    "Commands:",
    ...Object.entries(COMMANDS).map(([name, command]) => `  ${name.padEnd(24)} ${command.summary}`),
    "",
    SOCKET_HELP,
  ].join("\n");

/** Carries a command out; gives the exit status. */
export async function callCommand(args: readonly string[]): Promise<number> {
  let name: string, input: unknown, socket: string;
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      options: SOCKET_OPTIONS,
      allowPositionals: true,
    });
    if (positionals.length === 0 || positionals.length > 2) {
      throw new SettingsError("give a command's name and its input");
    }
    name = positionals[0]!;
    const text = positionals[1] === "-"
      ? await new Response(Deno.stdin.readable).text()
      : positionals[1] ?? "{}";
    input = JSON.parse(text);
    socket = socketOf(values);
  } catch (error) {
    console.error(
      `kvm-manager call: ${error instanceof Error ? error.message : error}. See kvm-manager call --help`,
    );
    return 2;
  }
  using server = serverAt(socket);
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
