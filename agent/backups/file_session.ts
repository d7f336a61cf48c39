/**
 * Files in the disks of a copy, read by libguestfs in a small VM of its own: the host's kernel never sees the
 * file systems, which are a guest's and may be crafted to attack the kernel that mounts them. The VM has no
 * network, and gets its disks over sockets from which nothing can be written (`disk_reader.ts`).
 *
 * guestfish takes its commands on standard input. Every name of the guest goes there as hexadecimal escapes
 * alone, and comes back in files of its own or as numbers: none is taken for a command, or for the end of an
 * answer.
 */
import { joinPath } from "../../lib/bin/place.ts";
import { bytesOfText, textOfBytes } from "../../lib/text/byte_text.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import type { BackupFile, BackupFilesystem } from "../../lib/contract/mod.ts";
import { fileKind } from "../../lib/backup/files.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { GuestfsFolders } from "../guestfs/guestfs.ts";
import { type GuestfsAnswer, GuestfsSession, MOST_ANSWER_BYTES } from "../guestfs/session.ts";
import { log } from "../log.ts";
import { ChunkThreads } from "./chunk_threads.ts";
import { DiskReader, serveDisk } from "./disk_reader.ts";
import type { RestoreSource } from "./make_disk.ts";
import { runProgram } from "../machine/programs.ts";
import type { Sentence } from "../../lib/i18n/message.ts";

/** Milliseconds that mkfifo(1) may take. */
const PIPE_MS = 10_000;

/** Milliseconds that the VM may take to start, and an answer to come. */
const LIMIT_MS = { start: 240_000, answer: 60_000 } as const;
/** Most entries of a folder that are told. */
const MOST_TOLD = 1000;
/** MiB that the VM has. */
const MEMORY_MB = 512;

const failed = (reason: Sentence, cause?: unknown) =>
  new ContractError("BackupFilesFailed", { reason }, { cause });

/** A word of a command: whatever it holds, it is this one word. */
const word = (text: string): string =>
  `"${[...bytesOfText(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;

/** How a session is opened. */
export interface SessionOptions {
  /** KVM runs no guests here. */
  readonly isEmulated: boolean;
  readonly folders: GuestfsFolders;
  readonly signal: AbortSignal;
}

/** The disks of a copy, opened for reading. */
export class FileSession implements AsyncDisposable {
  #turn: Promise<unknown> = Promise.resolve();
  #isAbandoned = false;
  #waiting = 0;
  #mounted: string | undefined;
  filesystems: readonly BackupFilesystem[] = [];

  private constructor(
    private readonly folder: string,
    private readonly guestfish: GuestfsSession,
    private readonly held: AsyncDisposableStack,
  ) {}

  /** Whether it has ended by itself, or is about to by {@link FileSession.end}. */
  get isOver(): boolean {
    return this.guestfish.isOver;
  }

  /** Whether it was ended because who took its content had left: others may ask another one. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Whether somebody is being answered. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** @throws {ContractError} BackupFilesNotPossible, BackupFilesFailed @throws {ManifestError} the signal's reason */
  static async open(
    source: RestoreSource,
    { isEmulated, folders, signal }: SessionOptions,
  ): Promise<FileSession> {
    const { disks } = source.manifest;
    await using held = new AsyncDisposableStack();
    const { path: folder } = held.use(await folders.make());
    const threads = held.use(new ChunkThreads(source.repository.codec.nameKey));
    for (const disk of disks) {
      held.use(serveDisk(`${folder}/${disk.target}`, await DiskReader.open(source, disk, threads)));
    }
    const guestfish = new GuestfsSession({ folder, isEmulated, failed });
    const session = new FileSession(folder, guestfish, held.move());
    const stop = () => session.end();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (const { target } of disks) {
        const from = `protocol:nbd server:unix:${folder}/${target}`;
        await session.#run(`add-drive "" readonly:true format:raw ${from}`);
      }
      await session.#run(`set-memsize ${MEMORY_MB}`);
      await session.#run("run", LIMIT_MS.start);
      session.filesystems = (await session.#run("list-filesystems", LIMIT_MS.start)).split("\n").flatMap(
        (line) => {
          const [, device, type] = /^(\/dev\/[A-Za-z0-9_.+/-]+): ([A-Za-z0-9_.-]+)$/.exec(line) ?? [];
          return device === undefined || ["swap", "unknown"].includes(type!) ? [] : [{ device, type: type! }];
        },
      );
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** @throws {ContractError} BackupFilesFailed for the VM's end and the time limit */
  #ask(command: string, limitMs: number = LIMIT_MS.answer): Promise<GuestfsAnswer> {
    return this.guestfish.ask(command, limitMs);
  }

  /** @throws {ContractError} BackupFilesFailed where it fails */
  #run(command: string, limitMs: number = LIMIT_MS.answer): Promise<string> {
    return this.guestfish.run(command, limitMs);
  }

  /** One after the other: there is one guestfish. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const mine = this.#turn.then(work, work).finally(() => this.#waiting--);
    this.#turn = mine.catch(() => {/* told to who asked */});
    return mine;
  }

  async #mount(device: string): Promise<void> {
    if (this.#mounted === device) return;
    if (!this.filesystems.some((each) => each.device === device)) {
      throw failed(`there is no file system ${oneLine(device, 60)} in it`);
    }
    this.#mounted = undefined;
    await this.#run("umount-all");
    await this.#run(`mount-ro ${device} /`);
    this.#mounted = device;
  }

  /** Information about a file; undefined if it does not exist. */
  async #stat(path: string): Promise<Omit<BackupFile, "name"> | undefined> {
    const { out, fault } = await this.#ask(`lstatns ${word(path)}`);
    if (fault !== undefined) return undefined;
    const figure = (name: string) => Number(new RegExp(`^${name}: (-?\\d+)$`, "m").exec(out)?.[1] ?? 0);
    return {
      kind: fileKind(figure("st_mode")),
      size: figure("st_size"),
      modifiedAt: figure("st_mtime_sec") * 1000,
    };
  }

  /** The entries of a folder, by name. @throws {ContractError} BackupFilesFailed */
  list(device: string, path: string): Promise<{ readonly files: BackupFile[]; readonly truncated: boolean }> {
    return this.#inTurn(async () => {
      await this.#mount(device);
      const list = `${this.folder}/names`;
      await this.#run(`ls0 ${word(path)} ${list}`);
      const { size } = await Deno.stat(list);
      if (size > MOST_ANSWER_BYTES) throw failed("the folder has too many entries");
      const names = textNames(await Deno.readFile(list)).sort();
      const files: BackupFile[] = [];
      for (const name of names.slice(0, MOST_TOLD)) {
        const found = await this.#stat(joinPath(path, name));
        if (found !== undefined) files.push({ name, ...found });
      }
      return { files, truncated: names.length > MOST_TOLD };
    });
  }

  /**
   * Opens a file, or a folder as a tar archive. Who has the stream has the session, until its end.
   *
   * @throws {ContractError} BackupFilesFailed
   */
  async read(
    device: string,
    path: string,
  ): Promise<
    { readonly isFolder: boolean; readonly size: number; readonly stream: ReadableStream<Uint8Array> }
  > {
    const opened = Promise.withResolvers<
      { readonly isFolder: boolean; readonly size: number; readonly stream: ReadableStream<Uint8Array> }
    >();
    this.#inTurn(async () => {
      await this.#mount(device);
      const found = path === "/" ? { kind: "folder", size: 0 } as const : await this.#stat(path);
      if (found === undefined) throw failed("there is no such file in it");
      const isFolder = found.kind === "folder";
      if (!isFolder && found.kind !== "file") throw failed("it is neither a file nor a folder");
      const pipe = `${this.folder}/pipe-${crypto.randomUUID()}`;
      const made = await runProgram("mkfifo", ["-m", "600", pipe], { limitMs: PIPE_MS });
      if (!made.success) throw failed("no pipe can be made");
      const done = this.#ask(`${isFolder ? "tar-out" : "download"} ${word(path)} ${pipe}`, Infinity);
      // A command that is refused opens no pipe, and must not be waited for.
      const letGo = async () => (await Deno.open(pipe, { write: true, read: true })).close();
      const failure = done.then(async ({ fault }) => {
        if (fault !== undefined) await letGo();
        return fault;
      }, async (error) => {
        await letGo().catch(() => {/* it was opened before, and has no name any more */});
        throw error;
      });
      failure.catch(() => {/* awaited below, unless who took the content has gone before */});
      const file = await Deno.open(pipe, { read: true });
      await Deno.remove(pipe);
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      opened.resolve({ isFolder, size: found.size, stream: readable });
      try {
        await file.readable.pipeTo(writable, { preventClose: true });
        const fault = await failure;
        if (fault === undefined) await writable.close();
        else await writable.abort(failed(oneLine(fault, 300)));
      } catch (error) {
        // Who took it has gone: guestfish waits for a reader that does not come. Or guestfish has ended.
        log.debug("a download out of a backup ended early", { error });
        await writable.abort(error).catch(() => {/* who took it has gone */});
        this.#isAbandoned = true;
        this.end();
      }
    }).catch((error) => opened.reject(error));
    return await opened.promise;
  }

  /** Ends it at once. */
  end(): void {
    this.guestfish.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guestfish[Symbol.asyncDispose]();
    await this.held.disposeAsync();
  }
}

/** Names that are ended by zeros, as texts that stand for their bytes. */
function textNames(bytes: Uint8Array): string[] {
  const names: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at) < 0 ? bytes.length : bytes.indexOf(0, at);
    if (end > at) names.push(textOfBytes(bytes.subarray(at, end)));
    at = end + 1;
  }
  return names;
}
