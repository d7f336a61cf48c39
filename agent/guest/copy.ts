/** Copying files into guests and out of them: the content is the body of a request or of its answer. */
import { message, vmName } from "../../lib/i18n/message.ts";
import { createHash } from "node:crypto";
import { ContractError, type Input, type Output, type VM } from "../../lib/contract/mod.ts";
import { BodyReader, drain } from "../body_reader.ts";
import type { CallContext } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { contractError } from "../libvirt/failure.ts";
import type { GuestBackend, GuestReader, GuestWriter } from "./backend.ts";

/** Bytes that are sent to the guest, or asked of it, at once. */
const PIECE = 1024 * 1024;
/** Bytes that are taken of a file whose size the guest does not know: such are small, or without end. */
const MOST_UNKNOWN = 64 * 1024 * 1024;

/** A guest, and the agent that has its files. */
export interface In {
  readonly vm: VM;
  readonly agent: GuestBackend;
}

/** File name of a copy of a path. */
export const baseName = (path: string) => path.split(/[/\\]/).filter((part) => part !== "").at(-1) ?? "file";

/** Collects small pieces of a body until a question to the guest is worth it. */
class Collector {
  readonly #buffer = new Uint8Array(PIECE);
  #filled = 0;

  constructor(private readonly write: (bytes: Uint8Array) => Promise<void>) {}

  async put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + PIECE - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === PIECE) await this.flush();
    }
  }

  async flush(): Promise<void> {
    if (this.#filled === 0) return;
    await this.write(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

/** Writes what arrives into a guest's file. @returns its SHA-256 @throws {ContractError} UploadBroken, GuestCopyFailed */
export async function writeArriving(
  writer: GuestWriter,
  pieces: Pick<BodyReader, "next">,
  size: number,
  progress: (done: number) => void,
): Promise<string> {
  const hash = createHash("sha256");
  let written = 0, arrived = 0;
  const collector = new Collector(async (bytes) => {
    hash.update(bytes);
    await writer.write(bytes);
    written += bytes.length;
    progress(written);
  });
  while (arrived < size) {
    const bytes = await pieces.next();
    if (bytes === null) throw new ContractError("UploadBroken", { received: arrived, size });
    arrived += bytes.length;
    if (arrived > size) {
      throw new ContractError("GuestCopyFailed", {
        error: message`more than the announced ${size} bytes arrived`,
      });
    }
    await collector.put(bytes);
  }
  await collector.flush();
  return hash.digest("hex");
}

/** Copies the body of a request into a guest. @throws {ContractError} */
export async function copyTo(
  { jobs }: LibvirtHost,
  { vm, agent }: In,
  { path, size, mode, checksum }: Input<"guest_copy_to">,
  { principal, content }: CallContext,
): Promise<Output<"guest_copy_to">> {
  if (!content?.body || size === undefined) throw new ContractError("ContentExpected");
  const { body } = content;
  try {
    const job = await jobs.open({
      command: "guest_copy_to",
      title: message`Copy ${baseName(path)} into ${vmName(vm)}`,
      actor: principal.name,
      vmId: vm.id,
      subject: path,
      ifInterrupted: `Remove ${path}.kvm-manager-part in the guest, and copy it again.`,
    });
    using pieces = new BodyReader(body, job.signal, principal.ended);
    let writer: GuestWriter | undefined;
    try {
      writer = await agent.createFile(vm, path, mode);
      const sha256 = await writeArriving(writer, pieces, size, (done) => job.progress(done, size));
      if (checksum !== undefined && checksum.toLowerCase() !== sha256) {
        throw new ContractError("ChecksumMismatch", { sha256, wanted: checksum });
      }
      const verified = await writer.finish(sha256);
      job.done();
      return { path, size, sha256, verified };
    } catch (error) {
      const left = await writer?.abandon();
      if (left !== undefined) job.log(left);
      throw job.failed(contractError(error, "GuestCopyFailed", "guest_copy_to"));
    }
  } finally {
    await drain(body);
  }
}

/** Gives a guest's file to who asked as a stream. @throws {ContractError} */
export async function copyFrom(
  { jobs }: LibvirtHost,
  { vm, agent }: In,
  { path }: Input<"guest_copy_from">,
  { principal, content }: CallContext,
): Promise<Output<"guest_copy_from">> {
  if (!content?.answer) throw new ContractError("ContentExpected");
  const name = baseName(path);
  await using opening = new AsyncDisposableStack();
  const reader = opening.use(await agent.openFile(vm, path));
  const { size } = reader;
  const part = size === null || !content.choose
    ? { offset: 0, length: size ?? MOST_UNKNOWN }
    : content.choose({ size, version: undefined });
  if (part === null) return { name, size };
  if (part.offset > 0) await reader.seek(part.offset);
  const job = await jobs.open({
    command: "guest_copy_from",
    title: message`Copy ${name} out of ${vmName(vm)}`,
    actor: principal.name,
    vmId: vm.id,
    subject: path,
    ifInterrupted: "Copy it again.",
  });
  const held = opening.move();
  const over = new AbortController();
  const end = async () => {
    over.abort();
    await held.disposeAsync();
  };
  let sent = 0;
  const next = async (from: GuestReader) => {
    const bytes = await from.read(Math.min(PIECE, part.length - sent));
    if (bytes.length === 0 && size !== null && sent < part.length) {
      throw new ContractError("GuestCopyFailed", { error: "the file became shorter" });
    }
    return bytes;
  };
  content.answer(
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        const stop = (reason: unknown) => {
          controller.error(job.failed(reason));
          void end();
        };
        for (const signal of [job.signal, principal.ended]) {
          signal.addEventListener("abort", () => stop(signal.reason), { once: true, signal: over.signal });
        }
      },
      pull: async (controller) => {
        try {
          const bytes = await next(reader);
          if (over.signal.aborted) return;
          sent += bytes.length;
          if (bytes.length > 0) controller.enqueue(bytes);
          if (size !== null) job.progress(part.offset + sent, part.offset + part.length);
          if (bytes.length > 0 && sent < part.length) return;
          if (size === null && sent >= MOST_UNKNOWN) {
            throw new ContractError("GuestCopyFailed", { error: "the file has no end" });
          }
          await end();
          job.done();
          controller.close();
        } catch (error) {
          if (over.signal.aborted) return;
          await end();
          controller.error(job.failed(contractError(error, "GuestCopyFailed", "guest_copy_from")));
        }
      },
      cancel: async () => {
        // Who has the last byte hangs up, often before the guest has closed the file.
        if (size !== null && sent >= part.length) job.done();
        else job.failed(new ContractError("GuestCopyFailed", { error: "the client went away" }));
        await end();
      },
    }, { highWaterMark: 0 }),
  );
  return { name, size };
}
