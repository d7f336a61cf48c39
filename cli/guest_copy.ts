/** `kvm-manager vm cp FILE NAME:PATH`, and back: copies a file or a folder into a VM's guest, or out of it. */
import { ownHelp } from "./own_help.ts";
import { message } from "../lib/i18n/message.ts";
import { basename, resolve } from "node:path";
import { parsed } from "./arguments.ts";
import { serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { inFolder, stepsTo } from "../lib/guest/paths.ts";
import { forEachVm } from "./each_vm.ts";
import { EXIT } from "./exit.ts";
import {
  type Copying,
  fileFrom,
  fileTo,
  folderFrom,
  folderTo,
  guestFileAt,
  isGuestFolder,
} from "./guest_folder.ts";
import { TERMINAL, type Terminal } from "./terminal.ts";
import { failed } from "./verb/failure.ts";
import { UsageError } from "./verb/values.ts";

const USAGE = "kvm-manager vm cp FILE|FOLDER NAME:PATH, or NAME:PATH FILE|FOLDER";

export const COPY_HELP = () =>
  ownHelp({
    usage: USAGE,
    about: [
      message`Copies a file, or a folder and all in it, into a VM's guest or out of it, through the guest's agent. Permissions are kept; links in a folder are left out. A path that ends with / is a folder: what is copied keeps its name. A folder that is copied to one that is there already is put into it, under its own name.`,
      message`A pattern for NAME (web*, db[1-3]) copies for each VM that fits; what comes from several goes into a folder of each one's name.`,
    ],
    options: [["--yes", message`replace files that are here already`]],
    server: true,
    examples: [
      "kvm-manager vm cp app.conf web1:/etc/app.conf",
      "kvm-manager vm cp web1:/var/log/syslog .",
      "kvm-manager vm cp site web1:/srv/",
      "kvm-manager vm cp web1:/etc/nginx .",
      "kvm-manager vm cp app.conf 'web[1-3]:/etc/app.conf'",
    ],
  });

/** A file in a guest: `web1:/etc/hosts`, `web1:C:\\x`; undefined for one that is here. */
export function guestPlace(text: string): { vm: string; path: string } | undefined {
  const [, vm, path] = /^([^/:\\]+):((?:\/|[A-Za-z]:[\\/]).*)$/s.exec(text) ?? [];
  return vm === undefined || path === undefined ? undefined : { vm, path };
}

/** Copies what is here into the guest. */
async function copyTo(copying: Copying, source: string, path: string): Promise<void> {
  const name = basename(resolve(source)), saysFolder = /\/$|^[A-Za-z]:.*\\$/s.test(path);
  const isFolder = await Deno.stat(source).then(({ isDirectory }) => isDirectory, () => false);
  const isInto = saysFolder || isFolder && await isGuestFolder(copying, path);
  const place = isInto ? inFolder(path, name) : path;
  await (isFolder ? folderTo : fileTo)(copying, source, place);
}

/** Local path of a copy: under its own name if the given path is a folder. */
async function targetHere(given: string, name: string): Promise<string> {
  const isFolder = await Deno.stat(given).then(({ isDirectory }) => isDirectory, () => false);
  return isFolder ? `${given.replace(/\/$/, "")}/${name}` : given;
}

/** Copies what is in the guest to here. */
async function copyFrom(copying: Copying, path: string, target: string, overwrite: boolean): Promise<void> {
  const [place, parent] = stepsTo(path).toReversed();
  if (place === undefined || parent === undefined) {
    throw new UsageError("name a file or a folder of the guest, not all of it", USAGE);
  }
  const found = await guestFileAt(copying, path);
  if (target === "-") return await fileFrom(copying, path, target, { overwrite });
  const to = await targetHere(target, place.name);
  // A link is followed, and has permissions of its own; a name that is not listed may be spelled otherwise, or one too many
  const isPlain = found?.kind === "file" || found?.kind === "folder";
  const mode = isPlain ? found.mode : undefined;
  const isFolder = isPlain ? found.kind === "folder" : await isGuestFolder(copying, path);
  if (isFolder) await folderFrom(copying, place.path, to, { overwrite, mode });
  else await fileFrom(copying, path, to, { overwrite, mode });
}

/** The folder of one of several VMs in the one that is named. @throws {UsageError} where that is none, or the name is none of a folder */
async function folderOf(target: string, name: string): Promise<string> {
  const isFolder = target !== "-" &&
    await Deno.stat(target).then(({ isDirectory }) => isDirectory, () => false);
  if (!isFolder) {
    throw new UsageError(message`${target} must be a folder: each VM gets one of its name there`);
  }
  if (name !== basename(name) || /^\.{1,2}$/.test(name)) {
    throw new UsageError(message`${name} can be no folder's name`);
  }
  const folder = `${target.replace(/\/$/, "")}/${name}`;
  await Deno.mkdir(folder, { recursive: true });
  return folder;
}

/** Reads its arguments. @throws {UsageError} */
export function readCopy(args: readonly string[]) {
  const { positionals, values } = parsed(args, { ...TARGET_OPTIONS, yes: { type: "boolean", short: "y" } });
  const [source, target, ...more] = positionals;
  if (source === undefined || target === undefined || more.length > 0) {
    throw new UsageError("say what to copy, and where to", USAGE);
  }
  const from = guestPlace(source), to = guestPlace(target);
  if ((from === undefined) === (to === undefined)) {
    throw new UsageError("one of the two is in a guest: NAME:/PATH", USAGE);
  }
  return { source, target, from, to, values };
}

/** Copies a file or a folder; gives the exit status. */
export async function copyCommand(args: readonly string[], terminal: Terminal = TERMINAL): Promise<number> {
  try {
    const { source, target, from, to, values } = readCopy(args);
    const server = serverOf(await targetOf(values));
    return await forEachVm(server, (from ?? to)!.vm, async ({ vmId, name, isOneOfSeveral }) => {
      const copying = { server, vmId, terminal };
      if (to !== undefined) await copyTo(copying, source, to.path);
      else {await copyFrom(
          copying,
          from!.path,
          isOneOfSeveral ? await folderOf(target, name) : target,
          values.yes ?? false,
        );}
      return EXIT.done;
    });
  } catch (error) {
    return failed(error, ["vm", "cp"]);
  }
}
