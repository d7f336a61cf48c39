/** Verbs that are no commands of the contract, for each of the VMs that a pattern stands for. */
import { isPattern } from "../lib/text/pattern.ts";
import type { Server } from "./connect/server.ts";
import { EXIT } from "./exit.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { ApiError } from "../lib/client/api.ts";
import { Resources } from "./verb/resolve_ids.ts";

/** VMs at the same time. */
const AT_ONCE = 8;

/** A VM that something is done for. */
export interface EachVm {
  readonly vmId: string;
  readonly name: string;
  /** Whether there are others: what is said names the VM then. */
  readonly isOneOfSeveral: boolean;
}

/**
 * Does something for the VM of a name, or for each that a pattern fits; one that fails holds none of several up.
 *
 * @param run gives an exit status
 * @returns its exit status; of several 0, or that of a failure where one failed
 * @throws what the work for one VM throws; {ApiError} for a name that nothing has
 */
export async function forEachVm(
  server: Pick<Server, "call">,
  given: string,
  run: (vm: EachVm) => Promise<number>,
): Promise<number> {
  const resources = new Resources(server), ids = await resources.ids("vmId", given);
  const nameOf = (vmId: string) => resources.nameOf("vmId", vmId);
  // A pattern is for several, whatever it fits.
  if (ids.length === 1 && !isPattern(given)) {
    return await run({ vmId: ids[0]!, name: given, isOneOfSeveral: false });
  }
  const left = [...ids], statuses: number[] = [];
  const work = async () => {
    for (let vmId = left.shift(); vmId !== undefined; vmId = left.shift()) {
      const name = await nameOf(vmId);
      try {
        statuses.push(await run({ vmId, name, isOneOfSeveral: true }));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        console.error(
          `kvm-manager: ${escapeControlCharacters(name)}: ${escapeControlCharacters(error.message)}`,
        );
        statuses.push(EXIT.failed);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, work));
  return statuses.every((status) => status === EXIT.done) ? EXIT.done : EXIT.failed;
}

/** Puts a VM's name in front of each line that comes in pieces; `end` gives what has no end of line. */
export function linePrefixer(
  name: string,
): { read: (bytes: Uint8Array) => Uint8Array; end: () => Uint8Array } {
  const prefix = new TextEncoder().encode(`${escapeControlCharacters(name)}: `), newLine = 10;
  let isAtStart = true;
  return {
    read: (bytes) => {
      const parts: number[] = [];
      for (const byte of bytes) {
        if (isAtStart) parts.push(...prefix);
        parts.push(byte);
        isAtStart = byte === newLine;
      }
      return new Uint8Array(parts);
    },
    end: () => {
      const left = isAtStart ? [] : [newLine];
      isAtStart = true;
      return new Uint8Array(left);
    },
  };
}
