/** A domain's job: how far it is, and its end. Backups, migrations and saving are such jobs, one at a time. */
import type { Connection } from "../connection.ts";
import { libvirt, ok } from "../library.ts";
import { type Params, readParams } from "../typed_params.ts";

/** `virDomainJobType` */
export const JOB = { NONE: 0, COMPLETED: 3 } as const;

/** Reads the statistics of a domain's job. Source: virDomainGetJobStats. */
export function jobStats(
  pointer: Deno.PointerValue,
  flags: number,
): { readonly type: number; readonly stats: Params } {
  const { symbols } = libvirt();
  const type = new Int32Array(1), array = new BigUint64Array(1), count = new Int32Array(1);
  ok(symbols.virDomainGetJobStats(pointer, type, array, count, flags));
  const params = Deno.UnsafePointer.create(array[0]!);
  try {
    return { type: type[0]!, stats: readParams(params, count[0]!) };
  } finally {
    if (params !== null) symbols.virTypedParamsFree(params, count[0]!);
  }
}

/** Ends the job of a domain. Source: virDomainAbortJob. */
export function jobAbort(connection: Connection, { uuid }: { uuid: string }): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainAbortJob(domain.pointer));
  return null;
}
