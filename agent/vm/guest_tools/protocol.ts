/** Messages between what makes the guest tools and its worker. */
import type { AgentPrograms } from "../../../lib/guest/tools/cd.ts";

/** Make the CD of these agents, each compressed with gzip. */
export interface ToToolsWorker {
  readonly packed: AgentPrograms;
  readonly version: string;
}

/** The CD, or why there is none. */
export type FromToolsWorker =
  | { readonly cd: Uint8Array<ArrayBuffer>; readonly sha256: string }
  | { readonly failure: string };
