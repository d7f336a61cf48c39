/** Programs of hooks: in the one directory that the server's settings name, without a shell, within bounds. */
import { isAbsolute } from "node:path";
import { ContractError } from "../../lib/contract/errors.ts";
import { hostFiles } from "../machine/host_files.ts";
import { realPathOf } from "../machine/host_file.ts";
import { runProgram } from "../machine/programs.ts";

/** Milliseconds that a program may take. */
export const PROGRAM_MS = 30_000;
/** Bytes that it may say on each of its streams. */
const MOST_OUTPUT = 64 * 1024;
/** Bits of a mode that let others than the owner write. */
const WRITABLE = 0o022;

/** Why a program is not run. */
export class ProgramRefused extends Error {
  override readonly name = "ProgramRefused";
}

/** Whether only root, or who KVM Manager runs as, can have written something. */
const isOwn = ({ uid, mode }: Deno.FileInfo): boolean =>
  (uid === 0 || uid === Deno.uid()) && (mode === null || (mode & WRITABLE) === 0);

/**
 * The path of a program with every link followed.
 *
 * @param folder that the settings name; `off` for none
 * @throws {ProgramRefused} @throws {ContractError} StorageNotResponding
 */
export async function allowedProgram(program: string, folder: string): Promise<string> {
  if (folder === "off") {
    throw new ProgramRefused("programs of hooks are off. Start KVM Manager with --hook-programs DIR");
  }
  if (!isAbsolute(program)) throw new ProgramRefused("give the absolute path of the program");
  try {
    const [real, root] = [await realPathOf(program), await realPathOf(folder)];
    if (!real.startsWith(`${root.replace(/\/$/, "")}/`)) {
      throw new ProgramRefused(`the program is not in ${folder}`);
    }
    const info = await hostFiles.stat(real);
    if (!info.isFile || info.mode === null || (info.mode & 0o111) === 0) {
      throw new ProgramRefused("it is no file that can be executed");
    }
    // Who may write one of the directories above it could put another program there
    const parts = real.slice(root.length).split("/").slice(1, -1);
    const folders = parts.map((_part, index) => [root, ...parts.slice(0, index + 1)].join("/"));
    for (const path of [root, ...folders, real]) {
      if (isOwn(await hostFiles.stat(path))) continue;
      throw new ProgramRefused(`${path} can be written by others than root. Run chmod go-w, and chown root`);
    }
    return real;
  } catch (error) {
    if (error instanceof ProgramRefused || error instanceof ContractError) throw error;
    if (error instanceof Deno.errors.NotFound) throw new ProgramRefused("there is no such program");
    throw error;
  }
}

/** How a program ended. */
export interface HookEnd {
  readonly code: number;
  /** The begin of what it said. */
  readonly said: string;
}

/**
 * Runs a program with an event on its standard input. It has none of our environment.
 *
 * @param path that {@link allowedProgram} gave
 * @throws {ProgramLate} when it was ended
 */
export async function runHookProgram(
  { path, args, input, signal, limitMs = PROGRAM_MS }: {
    readonly path: string;
    readonly args: readonly string[];
    readonly input: string;
    readonly signal: AbortSignal;
    readonly limitMs?: number;
  },
): Promise<HookEnd> {
  const { code, stdout, stderr } = await runProgram(path, args, {
    limitMs,
    input,
    signal,
    mostOutput: MOST_OUTPUT,
    clearEnv: true,
    endsAll: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  return { code, said: `${stdout}${stderr}`.slice(0, 1000) };
}
