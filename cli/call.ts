/** `kvm-manager call NAME [JSON]`: one command of the running server, over its UNIX socket. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readSettings, SETTINGS, SettingsError } from "../agent/settings.ts";
import { ApiError, call } from "../lib/client/api.ts";
import { COMMANDS, ERRORS } from "../lib/contract/mod.ts";
import { SOCKET_FILE, where } from "./place.ts";

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
    `The socket is api.sock in the runtime folder (--runtime-dir, ${SETTINGS.runtimeDir.env}).`,
  ].join("\n");

/** Exit status of an error. */
function exitStatus({ code }: ApiError): number {
  if (code === "Unreachable") return 3;
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as keyof typeof ERRORS].exit : 1;
}

/** Carries a command out; gives the exit status. */
export async function callCommand(args: readonly string[]): Promise<number> {
  let name: string | undefined, input: unknown, socket: string;
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      options: { socket: { type: "string" }, "runtime-dir": { type: "string" } },
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
    const dir = values["runtime-dir"] ?? readSettings([], where()).runtimeDir;
    socket = values.socket ?? join(dir, SOCKET_FILE);
  } catch (error) {
    console.error(
      `kvm-manager call: ${error instanceof Error ? error.message : error}. See kvm-manager call --help`,
    );
    return 2;
  }
  using http = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
  try {
    const answer = await call(
      name,
      input,
      (command, body) =>
        fetch(`http://localhost/api/v1/commands/${encodeURIComponent(command)}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
          client: http,
        }),
    );
    console.log(JSON.stringify(answer, null, 2));
    return 0;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const message = error.code === "Unreachable"
      ? `no server answers on ${socket}. Is kvm-manager serve running?`
      : error.message;
    console.error(
      JSON.stringify(
        { code: error.code, message, ...(error.details !== undefined && { details: error.details }) },
        null,
        2,
      ),
    );
    return exitStatus(error);
  }
}
