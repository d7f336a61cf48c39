/** Whether a file is the one that an operation has made, or meant. */
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import { undefinedIfMissing } from "../machine/files.ts";
import type { OperationRecord } from "./operation_record.ts";

/** Identity of a file: another one at the same path has another. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/** Milliseconds the kernel's clock for files may be behind. */
const CLOCK_MS = 50;
/** Milliseconds after a fault in which what was under way may still make its file. */
const LATE_MS = 10_000;
/** When this process began: what an earlier one has begun, it began before. */
const PROCESS_START = performance.timeOrigin;

const identityOf = ({ dev, ino }: Deno.FileInfo): FileIdentity => ({ dev, ino: Number(ino) });

/** The file at a path; null where there is none, or no regular file. */
export async function identityAt(path: string): Promise<FileIdentity | null> {
  const info = await undefinedIfMissing(hostFiles.lstat(plainPath(path)));
  return info?.isFile ? identityOf(info) : null;
}

/** The folder at a path; null where there is none, or something else. */
export async function folderIdentityAt(path: string): Promise<FileIdentity | null> {
  const info = await undefinedIfMissing(hostFiles.lstat(plainPath(path)));
  return info?.isDirectory ? identityOf(info) : null;
}

/** Whether two looks found the same file. */
export const isSame = (a: FileIdentity, b: FileIdentity): boolean => a.dev === b.dev && a.ino === b.ino;

/**
 * Whether the file that is there now was made by a step: it is the file that was noted, or, where the step was cut short
 * before that, one that was born while it ran.
 */
export function isMadeBy(
  info: Deno.FileInfo,
  { file, at }: { readonly file: FileIdentity | null; readonly at: number },
  { cut }: Pick<OperationRecord, "cut">,
): boolean {
  if (file !== null) return isSame(file, identityOf(info));
  // A file system that keeps no birth times tells at least when the file was changed last.
  const born = (info.birthtime ?? info.ctime)?.getTime() ?? NaN;
  const end = cut === undefined ? Infinity : (cut.cause === "process" ? PROCESS_START : cut.at) + LATE_MS;
  return born >= at - CLOCK_MS && born <= end;
}
