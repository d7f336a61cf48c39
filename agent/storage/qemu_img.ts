/**
 * qemu-img for what libvirt copies by itself, where nobody could see how far it is nor end it: raw content into a raw
 * volume. Formats are said, so nothing is guessed from what a guest wrote; raw content names no other files.
 */

import { ToolError } from "../libvirt/failure.ts";

/** Milliseconds after which one that was told to end is ended. */
const GRACE_MS = 5000;
/** Characters kept of what it complains about. */
const MOST_COMPLAINT = 2000;

/** Whether this host has a qemu-img that this process may run on any volume. */
export async function canRunQemuImg(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  try {
    return (await new Deno.Command("qemu-img", { args: ["--version"], stdout: "null", stderr: "null" })
      .output())
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The argument list of a raw copy into a volume that is there already and holds zeros. */
export function rawCopyArgs(source: string, target: string, isFile: boolean): string[] {
  const zero = isFile ? ["--target-is-zero"] : [];
  return ["convert", "-p", "-n", "-t", "writeback", ...zero, "-f", "raw", "-O", "raw", "--", source, target];
}

/** The last share, 0 to 1, that a piece of qemu-img's output tells; undefined when it tells none. */
export function shareIn(text: string): number | undefined {
  const last = [...text.matchAll(/\((\d{1,3}(?:\.\d+)?)\/100%\)/g)].at(-1)?.[1];
  return last === undefined ? undefined : Math.min(1, Number(last) / 100);
}

/** Reads a stream of text to its end, piece by piece. */
async function readText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onText: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) onText(text);
}

/**
 * Copies raw content. What was written by then stays in the target when it fails or is ended.
 *
 * @param onShare is told how much is done, 0 to 1
 * @throws {ToolError} with qemu-img's own words @throws the signal's reason when that is aborted
 */
export async function copyRaw(
  { source, target, isFile, signal, onShare }: {
    readonly source: string;
    readonly target: string;
    /** Whether the target is a new file: all of it is zeros. */
    readonly isFile: boolean;
    readonly signal: AbortSignal;
    readonly onShare: (share: number) => void;
  },
): Promise<void> {
  signal.throwIfAborted();
  const child = new Deno.Command("qemu-img", {
    args: rawCopyArgs(source, target, isFile),
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let killing: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    child.kill("SIGTERM");
    killing = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  };
  signal.addEventListener("abort", end);
  let complaint = "";
  try {
    const [{ success }] = await Promise.all([
      child.status,
      readText(child.stdout, (text) => {
        const share = shareIn(text);
        if (share !== undefined) onShare(share);
      }),
      readText(child.stderr, (text) => complaint = (complaint + text).slice(0, MOST_COMPLAINT)),
    ]);
    signal.throwIfAborted();
    if (!success) throw new ToolError(complaint.trim() || "qemu-img failed");
  } finally {
    signal.removeEventListener("abort", end);
    clearTimeout(killing);
  }
}
