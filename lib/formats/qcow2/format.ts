/**
 * In which format an image is given out. One rule for every door: what a VM has, or had, an image as, stays its
 * format; else it is what somebody says; the content decides only about an image that no VM ever had. A guest can
 * write any header onto its raw disk, so that content alone never turns raw into qcow2 (CVE-2013-1922,
 * CVE-2026-24708). Pure.
 */
import { message, type Sentence, type VmReference } from "../../i18n/message.ts";

export type ImageFormat = "raw" | "qcow2";

/** Evidence of an image's format. */
export interface FormatEvidence {
  /** Format that the caller named. */
  readonly said: ImageFormat | undefined;
  /** Formats that VMs use it with now or at their next start, with the VMs' names. */
  readonly uses: readonly { readonly vm: VmReference; readonly format: string }[];
  /** Recorded format of its last use by a VM. */
  readonly recorded: ImageFormat | undefined;
  /** Format that its pool detects in the content; undefined if the pool has no formats, or it is in none. */
  readonly pool: string | undefined;
  /** Whether it is in a pool: elsewhere its content is not read. */
  readonly isInPool: boolean;
  /** Whether its head is one of a qcow2 image. */
  readonly looksQcow2: boolean;
  /** Whether the caller may say what an image is against the record. */
  readonly mayOverrule: boolean;
}

/** The decision, or why there is none. */
export type FormatDecision =
  /** `isSaid`: it does not rest on the content alone, so the images that its header names may be followed. */
  | { readonly format: ImageFormat; readonly isSaid: boolean }
  | { readonly refusal: Sentence };

/** The formats pools tell, that are raw to a VM. */
const RAW: ReadonlySet<string | undefined> = new Set([undefined, "raw", "iso", "unknown"]);

/** Decides about a disk, a base or a source. */
export function decideFormat(known: FormatEvidence): FormatDecision {
  const { said, uses, recorded, pool, isInPool, looksQcow2, mayOverrule } = known;
  const [use] = uses;
  if (use !== undefined) {
    const { vm, format } = uses.find((each) => each.format === "raw") ?? use;
    const other = uses.find((each) => each.format !== format);
    if (other !== undefined) {
      return { refusal: message`${vm} has it as ${format}, but ${other.vm} as ${other.format}` };
    }
    if (format !== "raw" && format !== "qcow2") return { refusal: message`${vm} has it as ${format}` };
    return said === undefined || said === format
      ? { format, isSaid: true }
      : { refusal: message`${vm} has it as ${format}, not as ${said}` };
  }
  if (recorded !== undefined && said !== undefined && said !== recorded && !mayOverrule) {
    return { refusal: `a VM had it as ${recorded}: only an administrator may say that it is ${said}` };
  }
  if (said === "raw" && isInPool && looksQcow2 && recorded !== "raw") {
    return { refusal: "it is a qcow2 image, not raw" };
  }
  if (said !== undefined) return { format: said, isSaid: true };
  if (!isInPool) {
    return { refusal: "say its format: it is in no storage pool, and is never guessed from the content" };
  }
  if (recorded !== undefined) return { format: recorded, isSaid: true };
  if (pool === "qcow2") return { format: "qcow2", isSaid: false };
  if (RAW.has(pool)) return { format: "raw", isSaid: false };
  return { refusal: `its format is ${pool}: convert it to qcow2 or raw` };
}
