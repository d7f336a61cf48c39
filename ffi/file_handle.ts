/** Files of this host whose names are no UTF-8: Deno's own functions take names as text alone. */
import { closeDescriptor, OPEN, openDescriptor } from "./file_descriptor.ts";
import { openLibc } from "./library.ts";
import { readString, withCString } from "./memory.ts";

const SYMBOLS = {
  // Behind a server that does not answer it waits: in another thread than the one that serves.
  realpath: {
    parameters: ["buffer", /* path */ "pointer" /* resolved_path */],
    result: "pointer",
    nonblocking: true,
  },
  free: { parameters: ["pointer" /* ptr */], result: "void" },
} as const satisfies Record<string, Deno.ForeignFunction>;

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/** The error's number is lost between threads; a path that cannot be reached leads to nothing. */
const unreachable = (path: string) =>
  new Deno.errors.NotFound(`${path} is not there, or a folder of it may not be entered`);

/** A file, held: whatever becomes of its name, `path` is this file. */
export interface FileHandle extends Disposable {
  /** A path of ASCII that this process and its children open the file by. */
  readonly path: string;
}

/** Holds the file that a path leads to, following links. @throws {Deno.errors.NotFound} */
export async function holdFile(path: string): Promise<FileHandle> {
  const fd = await openDescriptor(path, OPEN.PATH);
  if (fd < 0) throw unreachable(path);
  return { path: `/proc/${Deno.pid}/fd/${fd}`, [Symbol.dispose]: () => closeDescriptor(fd) };
}

/** The path with every link followed, whatever bytes are in it. @throws {Deno.errors.NotFound} */
export async function realPathOfBytes(path: string): Promise<string> {
  const found = await withCString(path, (name) => libc().realpath(name, null));
  if (found === null) throw unreachable(path);
  try {
    return readString(found);
  } finally {
    libc().free(found);
  }
}

/**
 * Holds a folder that is one itself: a link to one is refused, also one that is put there meanwhile. What is reached
 * through `path` stays in this folder, whatever becomes of its name or of the folders above it.
 *
 * @throws {Deno.errors.NotFound} @throws {Deno.errors.NotADirectory} for anything else that is there
 */
export async function holdFolder(path: string): Promise<FileHandle> {
  const seen = await Deno.lstat(path);
  using held = new DisposableStack();
  const folder = held.use(await holdFile(path));
  const own = await Deno.stat(folder.path);
  const isIt = seen.isDirectory && own.isDirectory && own.dev === seen.dev && own.ino === seen.ino;
  if (!isIt) throw new Deno.errors.NotADirectory(`${path} is no folder of its own`);
  held.move();
  return folder;
}
