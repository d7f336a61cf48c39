/** `kvm-manager vm cp FILE NAME:PATH`, and back: copies a file into a VM's guest, or out of it. */
import { COMMANDS, type Output } from "../lib/contract/mod.ts";
import { basename } from "node:path";
import { parsed } from "./arguments.ts";
import { serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { EXIT } from "./exit.ts";
import { TERMINAL, type Terminal } from "./terminal.ts";
import { listed } from "./text.ts";
import { download, upload } from "./verb/content.ts";
import { failed } from "./verb/failure.ts";
import { targetRows } from "./verb/help.ts";
import { withIds } from "./verb/resolve_ids.ts";
import { UsageError } from "./verb/values.ts";

const USAGE = "kvm-manager vm cp FILE NAME:PATH, or NAME:PATH FILE";

export const COPY_HELP = () =>
  [
    `Usage: ${USAGE}`,
    "",
    "Copies a file into a VM's guest, or out of it, through the guest's agent. Permissions are kept on the way in. A path",
    "that ends with / is a folder: the file keeps its name.",
    "",
    "  --yes  replace a file that is here already",
    "",
    "Which server:",
    ...listed(targetRows()),
    "",
    "Examples:",
    "  kvm-manager vm cp app.conf web1:/etc/app.conf",
    "  kvm-manager vm cp web1:/var/log/syslog .",
  ].join("\n");

/** A file in a guest: `web1:/etc/hosts`, `web1:C:\\x`; undefined for one that is here. */
export function guestPlace(text: string): { vm: string; path: string } | undefined {
  const [, vm, path] = /^([^/:\\]+):((?:\/|[A-Za-z]:[\\/]).*)$/s.exec(text) ?? [];
  return vm === undefined || path === undefined ? undefined : { vm, path };
}

const inFolder = (folder: string, name: string) => folder.endsWith("/") ? folder + name : folder;

/** Where it goes here: into a folder under its own name. */
async function targetHere(given: string, name: string): Promise<string> {
  const isFolder = await Deno.stat(given).then(({ isDirectory }) => isDirectory, () => false);
  return isFolder ? `${given.replace(/\/$/, "")}/${name}` : given;
}

/** Copies a file; gives the exit status. */
export async function copyCommand(args: readonly string[], terminal: Terminal = TERMINAL): Promise<number> {
  try {
    const { positionals, values } = parsed(args, { ...TARGET_OPTIONS, yes: { type: "boolean", short: "y" } });
    const [source, target, ...more] = positionals;
    if (source === undefined || target === undefined || more.length > 0) {
      throw new UsageError("say what to copy, and where to", USAGE);
    }
    const from = guestPlace(source), to = guestPlace(target);
    if ((from === undefined) === (to === undefined)) {
      throw new UsageError("one of the two is in a guest: NAME:/PATH", USAGE);
    }
    const server = serverOf(await targetOf(values));
    const { vmId } = await withIds(server, { vmId: (from ?? to)!.vm });
    if (to !== undefined) {
      const mode = await Deno.stat(source).then(({ mode }) => mode, () => null);
      const input = {
        vmId,
        path: inFolder(to.path, basename(source)),
        ...(mode !== null && { mode: (mode & 0o777).toString(8).padStart(4, "0") }),
      };
      const done = await upload(server, COMMANDS.guest_copy_to, input, source, terminal) as Output<
        "guest_copy_to"
      >;
      if (!done.verified) console.error("Copied. The guest could not count its checksum.");
      return EXIT.done;
    }
    const { path } = from!, name = basename(path.replaceAll("\\", "/"));
    const local = target === "-" ? target : await targetHere(target, name);
    const where = { to: local, overwrite: values.yes ?? false };
    await download(server, COMMANDS.guest_copy_from, { vmId, path }, where, terminal);
    return EXIT.done;
  } catch (error) {
    return failed(error, ["vm", "cp"]);
  }
}
