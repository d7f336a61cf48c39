/** `kvm-manager` alone: the terminal UI, where somebody looks at a terminal and a server runs on this host. */
import { SettingsError } from "../agent/settings_error.ts";
import { type Target, targetOf } from "./connect/target.ts";
import { TERMINAL } from "./terminal.ts";

/** The server of this host, where it answers. Servers elsewhere are never asked without having been named by a verb. */
async function serverHere(): Promise<Target | undefined> {
  try {
    const target = await targetOf({});
    if (target.kind !== "socket") return undefined;
    (await Deno.connect({ transport: "unix", path: target.path })).close();
    return target;
  } catch (error) {
    // Not there, or not for us: the usage tells what there is, verbs tell why not
    if (error instanceof SettingsError || error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    throw error;
  }
}

/** Runs it; gives the exit status. Undefined where there is no terminal, or no server. */
export async function tuiHere(): Promise<number | undefined> {
  if (!TERMINAL.isTerminal || Deno.env.get("TERM") === "dumb") return undefined;
  const target = await serverHere();
  if (target === undefined) return undefined;
  const { runTui } = await import("./tui/mod.ts");
  return await runTui(target);
}
