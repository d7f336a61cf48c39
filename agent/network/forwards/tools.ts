/** The programs that speak to the kernel's packet filter and routing, run with argument arrays. */
import { join } from "node:path";
import { ProgramLate, runProgram } from "../../machine/programs.ts";

/** A program said no. */
export class ForwardToolError extends Error {
  override readonly name = "ToolError";
}

/** Folders of administrators' programs, besides PATH: a service's PATH may lack them. */
const FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin"];
/** Milliseconds after which a program that does not end is stopped. */
const LIMIT_MS = 10_000;

/** Path of a program; undefined where it is not installed. */
export async function findTool(name: string): Promise<string | undefined> {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":").filter(Boolean), ...FOLDERS];
  for (const folder of folders) {
    const path = join(folder, name);
    const found = await Deno.stat(path).catch(() => undefined); // not there, or not ours to see: the next one
    if (found?.isFile) return path;
  }
  return undefined;
}

/**
 * Runs a program to its end.
 *
 * @param input its standard input
 * @returns its standard output
 * @throws {ForwardToolError} with its message when it failed
 */
export async function runTool(name: string, args: readonly string[], input?: string): Promise<string> {
  const path = await findTool(name);
  if (path === undefined) throw new ForwardToolError(`${name} is not installed`);
  const { success, code, stdout, stderr } = await runProgram(path, args, {
    limitMs: LIMIT_MS,
    ...(input !== undefined && { input }),
  }).catch((error) => {
    throw error instanceof ProgramLate ? new ForwardToolError(error.message, { cause: error }) : error;
  });
  if (success) return stdout;
  const said = stderr.trim().split("\n").slice(0, 3).join(" ");
  throw new ForwardToolError(said === "" ? `${name} failed (status ${code})` : said);
}
