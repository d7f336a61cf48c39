/** Content that travels as a body, and answers that are files: `volume upload`, `volume download`, `vm screenshot`. */
import { message, render } from "../../lib/i18n/message.ts";
import { dirname, join } from "node:path";
import { ApiError } from "../../lib/client/api.ts";
import type { Command } from "../../lib/contract/mod.ts";
import { inputFields } from "../../lib/contract/rest.ts";
import { contentAddress } from "../../lib/rest/content_address.ts";
import { messageOf } from "../../lib/text/message.ts";
import { writeAll } from "../../lib/write_all.ts";
import type { Server } from "../connect/server.ts";
import type { Terminal } from "../terminal.ts";
import { unreadable } from "../unreadable.ts";
import { UsageError } from "./values.ts";
import { ProgressDisplay } from "./progress.ts";

/** The address of a command's content, on the host that verbs are for where none is named. */
const place = ({ host }: Pick<Server, "host">, command: Command, input: Record<string, unknown>): string =>
  contentAddress(command, { ...host !== undefined && { host }, ...input });

async function answerOf(response: Response): Promise<unknown> {
  const body = await response.json() as { code?: string; message?: string; details?: unknown };
  if (response.ok) return body;
  const { code = "Internal", message = `HTTP ${response.status}`, details } = body;
  throw new ApiError(code, message, details, response.status);
}

/** Tells how much has passed. */
function counted(display: ProgressDisplay, title: string, from: number, total: number) {
  const started = performance.now();
  let passed = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      passed += chunk.byteLength;
      const done = from + passed, seconds = (performance.now() - started) / 1000;
      display.update({
        title,
        progress: total === 0 ? 1 : done / total,
        doneBytes: done,
        totalBytes: total,
        secondsLeft: seconds < 2 ? null : Math.round((total - done) * seconds / passed),
      });
      controller.enqueue(chunk);
    },
  });
}

/** Offset in bytes at which an interrupted upload of this file continues; 0 if there is none. */
async function goesOnAt(
  server: Server,
  { pool, volume, host }: Record<string, unknown>,
  size: number,
): Promise<number> {
  try {
    const found = await server.call("get_upload", { pool, volume, ...(host !== undefined && { host }) }) as {
      offset: number;
      size: number;
    };
    return found.size === size ? found.offset : 0;
  } catch (error) {
    if (error instanceof ApiError && error.code === "UploadNotFound") return 0;
    throw error;
  }
}

/** Sends a file. One that breaks off is kept by the server for a while: said again, it goes on. @throws {ApiError, UsageError} */
export async function upload(
  server: Server,
  command: Command,
  input: Record<string, unknown>,
  file: string | undefined,
  terminal: Terminal,
): Promise<unknown> {
  if (file === undefined) throw new UsageError("say which file: --from FILE");
  let source: Deno.FsFile;
  try {
    source = await Deno.open(file);
  } catch (error) {
    throw new UsageError(unreadable("--from", file, error));
  }
  const display = new ProgressDisplay(terminal);
  let isHandedOver = false;
  try {
    const { size, isFile } = await source.stat();
    const canGoOn = Object.hasOwn(inputFields(command), "offset");
    if (!isFile || (size === 0 && canGoOn)) {
      throw new UsageError("--from must be a file with something in it: its size is told first");
    }
    const offset = canGoOn ? await goesOnAt(server, input, size) : 0;
    if (offset > 0) {
      console.error(render(message`Going on at ${offset} of ${size} bytes.`));
      await source.seek(offset, Deno.SeekMode.Start);
    }
    // From here on the stream closes it.
    isHandedOver = true;
    return await answerOf(
      await server.request(place(server, command, input), {
        method: "PUT",
        headers: {
          "content-type": "application/octet-stream",
          "content-length": String(size - offset),
          ...(canGoOn && { "content-range": `bytes ${offset}-${size - 1}/${size}` }),
        },
        body: source.readable.pipeThrough(counted(display, `upload ${file}`, offset, size)),
      }),
    );
  } finally {
    display.end();
    if (!isHandedOver) source.close();
  }
}

/** Sends content that is made on the way. @throws {ApiError} @throws what the making throws */
export async function sendMade(
  server: Server,
  command: Command,
  input: Record<string, unknown>,
  { title, size, content }: { title: string; size: number; content: AsyncIterable<Uint8Array> },
  terminal: Terminal,
): Promise<unknown> {
  const display = new ProgressDisplay(terminal);
  let failure: unknown;
  const made = async function* () {
    try {
      yield* content;
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  try {
    const body = ReadableStream.from(made()).pipeThrough(counted(display, title, 0, size));
    const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
    return await answerOf(
      await server.request(place(server, command, input), { method: "PUT", headers, body }),
    );
  } catch (error) {
    throw failure ?? error;
  } finally {
    display.end();
  }
}

/** Fetches content for who reads it piece by piece. @throws {ApiError} @throws what the reading throws */
export async function fetchFor(
  server: Server,
  command: Command,
  input: Record<string, unknown>,
  read: (content: ReadableStream<Uint8Array>) => Promise<void>,
  { title, terminal }: { title: string; terminal: Terminal },
): Promise<void> {
  const display = new ProgressDisplay(terminal);
  try {
    const response = await server.request(place(server, command, input));
    if (!response.ok || response.body === null) return void await answerOf(response);
    const total = Number(response.headers.get("content-length") ?? 0);
    await read(response.body.pipeThrough(counted(display, title, 0, total)));
  } finally {
    display.end();
  }
}

/** Opens a file for writing that is not there yet. @throws {UsageError} */
async function draftOf(
  file: string,
  overwrite: boolean,
  isPrivate = false,
): Promise<{ draft: string; sink: Deno.FsFile }> {
  const there = await Deno.lstat(file).catch(() => undefined);
  if (there?.isDirectory) throw new UsageError(message`${file} is a folder: no file can take its place`);
  if (there !== undefined && !overwrite) {
    throw new UsageError(message`${file} is there already. Say --yes to replace it`);
  }
  // A name of its own: another file may be called so, and a long name has no room for more
  const draft = join(dirname(file), `.kvm-manager-${crypto.randomUUID().slice(0, 8)}.part`);
  try {
    return {
      draft,
      sink: await Deno.open(draft, { write: true, createNew: true, ...(isPrivate && { mode: 0o600 }) }),
    };
  } catch (error) {
    throw new UsageError(message`--out cannot be written: ${messageOf(error)}`);
  }
}

/** Puts a draft that is whole into its place, and nothing of one that is not. @throws {UsageError} */
async function settle(draft: string, file: string, isWhole: boolean): Promise<void> {
  if (!isWhole) return await Deno.remove(draft);
  try {
    await Deno.rename(draft, file);
  } catch (error) {
    await Deno.remove(draft);
    throw new UsageError(message`${file} cannot be written: ${messageOf(error)}`);
  }
}

/**
 * Fetches content into a file, or to standard output for `-`. A file appears once it is whole.
 *
 * @param mode its permissions; no other user can read it before it has them
 * @throws {ApiError, UsageError}
 */
export async function download(
  server: Server,
  command: Command,
  input: Record<string, unknown>,
  { to, overwrite, mode }: { to: string | undefined; overwrite: boolean; mode?: number | undefined },
  terminal: Terminal,
): Promise<void> {
  if (to === undefined) throw new UsageError("say where to: --out FILE, or --out - for standard output");
  const target = to === "-" ? undefined : await draftOf(to, overwrite, mode !== undefined);
  const display = new ProgressDisplay(terminal);
  let isWhole = false;
  try {
    const response = await server.request(place(server, command, input));
    if (!response.ok || response.body === null) return void await answerOf(response);
    const length = response.headers.get("content-length");
    const total = Number(length ?? 0);
    let arrived = 0;
    const content = response.body.pipeThrough(
      counted(display, `download ${input.volume ?? input.path}`, 0, total),
    );
    for await (const chunk of content) {
      arrived += chunk.byteLength;
      await writeAll(target?.sink ?? Deno.stdout, chunk);
    }
    if (length !== null && arrived !== total) {
      throw new ApiError(
        "Unreachable",
        render(message`it broke off after ${arrived} of ${total} bytes. Try again`),
      );
    }
    if (target && mode !== undefined) await Deno.chmod(target.draft, mode);
    isWhole = true;
  } finally {
    display.end();
    if (target) {
      target.sink.close();
      await settle(target.draft, to, isWhole);
    }
  }
}

/** Writes a file from what comes, as {@link download} does. @throws {UsageError} @throws what `next` throws */
export async function saveFile(
  to: string,
  next: () => Promise<Uint8Array | null>,
  { overwrite, mode }: { overwrite: boolean; mode: number },
): Promise<void> {
  const { draft, sink } = await draftOf(to, overwrite, true);
  let isWhole = false;
  try {
    for (let bytes = await next(); bytes !== null; bytes = await next()) await writeAll(sink, bytes);
    await Deno.chmod(draft, mode);
    isWhole = true;
  } finally {
    sink.close();
    await settle(draft, to, isWhole);
  }
}

/** The bytes of the file that an answer holds. */
export function fileIn(
  answer: unknown,
  { field, base64 }: NonNullable<Command["file"]>,
): Uint8Array<ArrayBuffer> {
  const text = String((answer as Record<string, unknown>)[field]);
  return base64
    ? Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))
    : new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
}

/** Writes a file, or to standard output for `-`. A file appears once it is whole. @throws {UsageError} */
export async function writeFile(bytes: Uint8Array, to: string, overwrite: boolean): Promise<void> {
  if (to === "-") return await writeAll(Deno.stdout, bytes);
  const { draft, sink } = await draftOf(to, overwrite);
  let isWhole = false;
  try {
    await writeAll(sink, bytes);
    isWhole = true;
  } finally {
    sink.close();
    await settle(draft, to, isWhole);
  }
}
