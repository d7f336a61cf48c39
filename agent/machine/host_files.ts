/**
 * Deno's file functions for the paths that libvirt and people give, through the mount gate: what is on a mount that does
 * not respond is refused at once and takes no thread. Paths are as Deno takes them; `host_file.ts` has those for names
 * that are no UTF-8. Our own data folder, /proc, /sys and /run need none of this.
 *
 * Every function throws {ContractError} StorageNotResponding, and what Deno's own throws.
 */
import { statfs } from "node:fs/promises";
import { type FileHandle, holdFile, holdFolder } from "../../ffi/file_handle.ts";
import { FileHoles } from "../../ffi/file_holes.ts";
import { ImageLock } from "../../ffi/image_lock.ts";
import { guarded, mountGate, requireResponding } from "./mount_gate.ts";

const look = <T>(path: string, run: () => Promise<T>) => mountGate.access(path, run);
/** Looks at a name itself, even if it is a link. */
const lookAtName = <T>(path: string, run: () => Promise<T>) => mountGate.access(path, run, { follow: false });
/** Changes a file, or moves content: it may take its time while the mount responds. */
const work = <T>(path: string, run: () => Promise<T>) => mountGate.access(path, run, { kind: "work" });
const workAtName = <T>(path: string, run: () => Promise<T>) =>
  mountGate.access(path, run, { kind: "work", follow: false });

const close = (file: Deno.FsFile) => file.close();
const dispose = (held: FileHandle | FileHoles | ImageLock) => held[Symbol.dispose]();

async function twoNames(from: string, to: string, run: () => Promise<void>): Promise<void> {
  await requireResponding(to.slice(0, to.lastIndexOf("/")) || "/");
  await workAtName(from, run);
}

/** See the head of this file. */
export const hostFiles = {
  stat: (path: string) => look(path, () => Deno.stat(path)),
  lstat: (path: string) => lookAtName(path, () => Deno.lstat(path)),
  realPath: (path: string) => look(path, () => Deno.realPath(path)),
  /** Bytes and files of the file system that a path is on. */
  statfs: (path: string) => look(path, () => statfs(path)),
  open: (path: string, options: Deno.OpenOptions = { read: true }) => {
    const kind = options.write || options.append ? "work" : "look";
    return guarded(path, mountGate.access(path, () => Deno.open(path, options), { kind, discard: close }));
  },
  /** Everything in a folder, read at once. */
  readDir: (path: string) => work(path, () => Array.fromAsync(Deno.readDir(path))),
  readFile: (path: string) => work(path, () => Deno.readFile(path)),
  readTextFile: (path: string) => work(path, () => Deno.readTextFile(path)),
  writeFile: (path: string, bytes: Uint8Array, options?: Deno.WriteFileOptions) =>
    work(path, () => Deno.writeFile(path, bytes, options)),
  writeTextFile: (path: string, text: string, options?: Deno.WriteFileOptions) =>
    work(path, () => Deno.writeTextFile(path, text, options)),
  mkdir: (path: string, options?: Deno.MkdirOptions) => workAtName(path, () => Deno.mkdir(path, options)),
  chmod: (path: string, mode: number) => work(path, () => Deno.chmod(path, mode)),
  chown: (path: string, uid: number, gid: number) => work(path, () => Deno.chown(path, uid, gid)),
  truncate: (path: string, length?: number) => work(path, () => Deno.truncate(path, length)),
  remove: (path: string, options?: Deno.RemoveOptions) => workAtName(path, () => Deno.remove(path, options)),
  rename: (from: string, to: string) => twoNames(from, to, () => Deno.rename(from, to)),
  link: (from: string, to: string) => twoNames(from, to, () => Deno.link(from, to)),
  /** {@link holdFile}, through the gate. */
  holdFile: (path: string) => mountGate.access(path, () => holdFile(path), { discard: dispose }),
  /** {@link holdFolder}, through the gate. */
  holdFolder: (path: string) =>
    mountGate.access(path, () => holdFolder(path), { follow: false, discard: dispose }),
  /** {@link FileHoles.open}, through the gate. */
  openHoles: (path: string) => mountGate.access(path, () => FileHoles.open(path), { discard: dispose }),
  /** {@link ImageLock.take}, through the gate. */
  lockImage: (path: string) => mountGate.access(path, () => ImageLock.take(path), { discard: dispose }),
} as const;
