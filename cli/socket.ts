/** Commands of the running server, over its UNIX socket. */
import { join } from "node:path";
import { readSettings, SETTINGS } from "../agent/settings.ts";
import { ApiError, call } from "../lib/client/api.ts";
import { ERRORS } from "../lib/contract/mod.ts";
import { SOCKET_FILE, where } from "./place.ts";

/** Options that say which server is meant, for `parseArgs`. */
export const SOCKET_OPTIONS = { socket: { type: "string" }, "runtime-dir": { type: "string" } } as const;

/** What the help says of those. */
export const SOCKET_HELP =
  `The server is found by its socket: api.sock in the runtime folder (--runtime-dir DIR, ${SETTINGS.runtimeDir.env}),\n` +
  "or --socket FILE.";

/** The socket's path. @throws {SettingsError} */
export function socketOf(
  values: { socket?: string | undefined; "runtime-dir"?: string | undefined },
): string {
  return values.socket ?? join(values["runtime-dir"] ?? readSettings([], where()).runtimeDir, SOCKET_FILE);
}

/** A connection to the server. */
export interface Server extends Disposable {
  /** Calls a command by its wire name. @throws {ApiError} */
  call(command: string, input: unknown): Promise<unknown>;
}

/** Connects when the first command is called. */
export function serverAt(socket: string): Server {
  const http = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
  return {
    call: async (name, input) => {
      try {
        return await call(
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
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "Unreachable") throw error;
        throw new ApiError(error.code, `no server answers on ${socket}. Is kvm-manager serve running?`);
      }
    },
    [Symbol.dispose]: () => http.close(),
  };
}

/** Exit status of an error. */
export function exitStatus({ code }: ApiError): number {
  if (code === "Unreachable") return 3;
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as keyof typeof ERRORS].exit : 1;
}
