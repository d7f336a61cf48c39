/** Copying whole folders into guests and out of them, as tar files: one task, and one entry of the audit log. */
import { message, vmName } from "../../lib/i18n/message.ts";
import { ContractError, type Input, type Output } from "../../lib/contract/mod.ts";
import { FolderArchive, type FolderEntry, isMemberName, MOST_DEPTH } from "../../lib/formats/tar/folder.ts";
import { ArchiveError } from "../../lib/formats/tar/entries.ts";
import { longTarHead, TAR_BLOCK, tarComment, tarEnd, tarPadding } from "../../lib/formats/tar/tar.ts";
import { inFolder, isWindows } from "../../lib/guest/paths.ts";
import { BodyReader, drain } from "../body_reader.ts";
import type { CallContext } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { OpenJob } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import type { GuestReader } from "./backend.ts";
import { baseName, type In, writeArriving } from "./copy.ts";

/** Files and folders that are copied out at once: they are listed before the first of them is read. */
const MOST_ENTRIES = 50_000;
/** Bytes that are asked of the guest at once. */
const PIECE = 1024 * 1024;
/** Entries left out that the answer names; the job's log has all. */
const TOLD = 100;
/** Names that the audit log keeps, and the most characters of one. */
const NAMES_KEPT = 20, NAME_KEPT = 100;

/** Summary of a copy for the audit log: counts, and the first names. */
class Copied {
  #files = 0;
  #folders = 0;
  #size = 0;
  #isVerified = true;
  readonly #names: string[] = [];

  folder(): void {
    this.#folders++;
  }

  file(name: string, size: number, isVerified = true): void {
    this.#files++;
    this.#size += size;
    this.#isVerified &&= isVerified;
    if (this.#names.length < NAMES_KEPT) this.#names.push(name.slice(0, NAME_KEPT));
  }

  get counts() {
    return { files: this.#files, folders: this.#folders, size: this.#size };
  }

  get isVerified(): boolean {
    return this.#isVerified;
  }

  /** @returns for the audit log */
  get note() {
    return { copied: { ...this.counts, names: this.#names } };
  }
}

/** The place of an entry in the guest. @throws {ContractError} GuestCopyFailed for what Windows takes for a way elsewhere */
function placeOf(folder: string, names: readonly string[]): string {
  if (isWindows(folder) && names.some((name) => /[\\:]/.test(name))) {
    throw new ContractError("GuestCopyFailed", {
      error: message`Windows has no name ${JSON.stringify(names.at(-1))}`,
    });
  }
  return names.reduce(inFolder, folder);
}

/** Copies a folder that arrives as a tar file into a guest. @throws {ContractError} */
export async function copyFolderTo(
  { jobs }: LibvirtHost,
  { vm, agent }: In,
  { path, size }: Input<"guest_copy_folder_to">,
  { principal, content, note }: CallContext,
): Promise<Output<"guest_copy_folder_to">> {
  if (!content?.body || size === undefined) throw new ContractError("ContentExpected");
  const { body } = content, copied = new Copied();
  const write = async (archive: FolderArchive, { names, mode, size }: FolderEntry) => {
    const place = placeOf(path, names);
    const writer = await agent.createFile(vm, place, modeText(mode));
    try {
      const sha256 = await writeArriving(writer, { next: () => archive.content() }, size, () => {});
      copied.file(names.join("/"), size, await writer.finish(sha256));
    } catch (error) {
      const left = await writer.abandon();
      throw left === undefined ? error : new Leftover(left, error);
    }
  };
  try {
    const job = await jobs.open({
      command: "guest_copy_folder_to",
      title: message`Copy ${baseName(path)} into ${vmName(vm)}`,
      actor: principal.name,
      vmId: vm.id,
      subject: path,
      ifInterrupted:
        `Remove files in ${path} that end with .kvm-manager-part in the guest, and copy it again.`,
    });
    using pieces = new BodyReader(body, job.signal, principal.ended);
    let arrived = 0;
    const archive = new FolderArchive(async () => {
      const bytes = await pieces.next();
      arrived += bytes?.length ?? 0;
      job.progress(Math.min(arrived, size), size);
      return bytes;
    });
    try {
      let hasRoot = false;
      for (let entry = await archive.entry(); entry !== null; entry = await archive.entry()) {
        const { names, kind, mode } = entry;
        if (!hasRoot) await agent.makeFolder(vm, path, names.length === 0 ? modeText(mode) : undefined);
        hasRoot = true;
        if (names.length === 0) continue;
        if (kind === "file") await write(archive, entry);
        else if (kind === "folder") {
          await agent.makeFolder(vm, placeOf(path, names), modeText(mode));
          copied.folder();
        } else job.log(leftOut(names.join("/"), kind));
      }
      job.done();
      return { ...copied.counts, verified: copied.isVerified };
    } catch (error) {
      const { files } = copied.counts;
      if (files > 0) job.log(message`Files copied before: ${files}`);
      throw job.failed(failure(error, job, { received: arrived, size }));
    }
  } finally {
    note?.(copied.note);
    await drain(body);
  }
}

/** A copy that failed and left something in the guest. */
class Leftover extends Error {
  override readonly name = "Leftover";
  constructor(left: string, override readonly cause: unknown) {
    super(left);
  }
}

function failure(error: unknown, job: OpenJob, broken: { received: number; size: number }): unknown {
  if (error instanceof Leftover) {
    job.log(error.message);
    return failure(error.cause, job, broken);
  }
  if (error instanceof ArchiveError) {
    return broken.received < broken.size
      ? new ContractError("UploadBroken", broken, { cause: error })
      : new ContractError("GuestCopyFailed", { error: message`the tar file: ${error.message}` }, {
        cause: error,
      });
  }
  return contractError(error, "GuestCopyFailed", "guest_copy_folder_to");
}

const modeText = (mode: number) => mode.toString(8).padStart(4, "0");

const leftOut = (path: string, kind: FolderEntry["kind"] | "nameless") => `Left out: ${path} ${WHY[kind]}`;
const WHY: Readonly<Record<FolderEntry["kind"] | "nameless", string>> = {
  link: "is a link",
  nameless: "has no name that a file here may have",
  other: "is neither a file nor a folder",
  file: "is a file",
  folder: "is a folder",
};

/** A file or folder of the guest that is copied out. */
interface Wanted {
  /** In the archive; a folder's ends with `/`. */
  readonly name: string;
  readonly path: string;
  readonly mode: number;
  readonly size: number;
}

/**
 * Entries of a guest's folder that can be copied, listed in full. Its names and sizes come from the guest.
 * @throws {ContractError}
 */
async function wantedIn({ vm, agent }: In, root: string, leave: (line: string) => void): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  const waiting: { path: string; name: string; depth: number }[] = [{ path: root, name: "", depth: 0 }];
  for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
    const { files, truncated } = await agent.listFiles(vm, folder.path);
    if (truncated || folder.depth > MOST_DEPTH || wanted.length + files.length > MOST_ENTRIES) {
      const error = `${folder.path} has more files than can be listed: pack them into one in the guest`;
      throw new ContractError("GuestCopyFailed", { error });
    }
    for (const file of files) {
      const path = inFolder(folder.path, file.name), name = `${folder.name}${file.name}`;
      const mode = parseInt(file.mode, 8) & 0o777;
      if (!isMemberName(file.name)) leave(leftOut(path, "nameless"));
      else if (file.kind === "folder") {
        wanted.push({ name: `${name}/`, path, mode, size: 0 });
        waiting.push({ path, name: `${name}/`, depth: folder.depth + 1 });
      } else if (file.kind === "file") {
        wanted.push({ name, path, mode, size: Number.isSafeInteger(file.size) ? Math.max(0, file.size) : 0 });
      } else leave(leftOut(path, file.kind));
    }
  }
  return wanted;
}

const headOf = ({ name, mode, size }: Wanted) => longTarHead({ name, mode, size });

/** Exactly so many bytes of a file: what was added since it was listed is not taken. @throws {ContractError} GuestCopyFailed */
async function* contentOf(reader: GuestReader, { path, size }: Wanted): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0;) {
    const bytes = await reader.read(Math.min(PIECE, left));
    if (bytes.length === 0) {
      throw new ContractError("GuestCopyFailed", { error: message`${path} became shorter` });
    }
    yield bytes;
    left -= bytes.length;
  }
}

/** Gives a guest's folder to who asked as a tar file. @throws {ContractError} */
export async function copyFolderFrom(
  { jobs }: LibvirtHost,
  { vm, agent }: In,
  { path }: Input<"guest_copy_folder_from">,
  { principal, content, note }: CallContext,
): Promise<Output<"guest_copy_folder_from">> {
  if (!content?.answer) throw new ContractError("ContentExpected");
  const left: string[] = [], copied = new Copied();
  const wanted = await wantedIn({ vm, agent }, path, (line) => left.push(line));
  for (const { name, size } of wanted) name.endsWith("/") ? copied.folder() : copied.file(name, size);
  note?.(copied.note);
  const comments = left.slice(0, TOLD).map(tarComment);
  const total = wanted.reduce(
    (sum, each) => sum + headOf(each).length + each.size + tarPadding(each.size).length,
    comments.reduce((sum, { length }) => sum + length, tarEnd().length),
  );
  const name = baseName(path);
  const job = await jobs.open({
    command: "guest_copy_folder_from",
    title: message`Copy ${name} out of ${vmName(vm)}`,
    actor: principal.name,
    vmId: vm.id,
    subject: path,
    ifInterrupted: "Copy it again.",
  });
  for (const line of left) job.log(line);
  const archive = async function* (): AsyncGenerator<Uint8Array> {
    yield* comments;
    for (const each of wanted) {
      yield headOf(each);
      if (each.size === 0) continue;
      await using reader = await agent.openFile(vm, each.path);
      yield* contentOf(reader, each);
      // The stream asks for no more after an empty piece
      if (each.size % TAR_BLOCK !== 0) yield tarPadding(each.size);
    }
    yield tarEnd();
  };
  const pieces = archive(), over = new AbortController();
  const end = async () => {
    over.abort();
    await pieces.return(undefined);
  };
  let sent = 0;
  content.answer(
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const signal of [job.signal, principal.ended]) {
          signal.addEventListener("abort", () => {
            controller.error(job.failed(signal.reason));
            void end();
          }, { once: true, signal: over.signal });
        }
      },
      pull: async (controller) => {
        try {
          const { value, done } = await pieces.next();
          if (over.signal.aborted) return;
          if (done) {
            over.abort();
            job.done();
            return controller.close();
          }
          sent += value.length;
          job.progress(sent, total);
          controller.enqueue(value);
        } catch (error) {
          if (over.signal.aborted) return;
          over.abort();
          controller.error(job.failed(contractError(error, "GuestCopyFailed", "guest_copy_folder_from")));
        }
      },
      cancel: async () => {
        // Who has the last byte hangs up
        if (sent >= total) job.done();
        else job.failed(new ContractError("GuestCopyFailed", { error: "the client went away" }));
        await end();
      },
    }, { highWaterMark: 0 }),
  );
  return { name: `${name}.tar`, size: total };
}
