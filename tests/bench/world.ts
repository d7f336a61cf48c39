/**
 * The host that a part of the bench runs on: a libvirtd, processes, a network and temporary files of its own, on this
 * machine. Whatever the part leaves or hangs in, all of it ends when the host is disposed of, or when this process does,
 * and the machine's own libvirtd is never asked for anything.
 */
import { claims, filesOf, PREFIX, testbedDir, testName } from "../testbed/names.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { removeFiles } from "../testbed/removal.ts";

const PURPOSE = "benchhost";
/**
 * Folder of the host: the path is short, since those of sockets may have 107 bytes, and in no folder that a libvirtd of
 * its own on that host hides (`drain` starts two).
 */
const PLACE = "/srv", PART = "srv";

export interface World extends AsyncDisposable {
  /** Names of its machines. */
  readonly machines: readonly string[];
  /** The environment of programs in it. */
  readonly env: Readonly<Record<string, string>>;
  /** The arguments that run a program in it. */
  argv(...argv: string[]): string[];
}

/** Makes one. @throws {Unavailable} where there can be none: it takes root, and namespaces */
export async function world(machines: number): Promise<World> {
  await using undo = new AsyncDisposableStack();
  const host = undo.use(await privateLibvirt(PURPOSE, { machines, folders: { [PLACE]: PART } }));
  const folder = `${host.folder}/${PART}`;
  await Deno.mkdir(`${folder}/tmp`, { recursive: true });
  // Guests that were built before; claims and files are the host's own
  for await (const { name } of Deno.readDir(testbedDir())) {
    if (name !== "claims" && name !== "files") {
      await Deno.symlink(`${testbedDir()}/${name}`, `${folder}/${name}`);
    }
  }
  const all = undo.move();
  return {
    machines: host.firstMachines,
    env: { KVMM_TESTBED_DIR: PLACE, TMPDIR: `${PLACE}/tmp` },
    argv: (...argv) => host.argvInside(...argv),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A folder that every host of this run sees, and that is gone when it is disposed of. */
export async function sharedFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const name = await testName(PURPOSE), path = filesOf(name);
  await Deno.mkdir(path, { recursive: true });
  return { path, [Symbol.asyncDispose]: () => removeFiles(name) };
}

/** Removes the files of runs that were killed; the processes of their hosts ended with them. */
export async function removeDeadWorlds(): Promise<void> {
  const { dead } = await claims();
  for (const name of dead.filter((each) => each.startsWith(`${PREFIX}${PURPOSE}-`))) await removeFiles(name);
}
