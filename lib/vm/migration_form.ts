/** The form that moves a VM to another host. Pure. */
import type { Input } from "../contract/mod.ts";

/** Beginnings of names of fields, of a disk's pool and a network's name there. */
export const MIGRATION_FIELDS = { pool: "pool.", network: "network." } as const;

const textIn = (form: FormData, name: string) => {
  const value = form.get(name);
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
};

/** Fields whose names begin so, with the rest of their names. */
const fieldsOf = (form: FormData, beginning: string) =>
  [...new Set(form.keys())].filter((name) => name.startsWith(beginning)).flatMap((name) => {
    const value = textIn(form, name);
    return value === undefined ? [] : [[name.slice(beginning.length), value] as const];
  });

/** Input of the form. A value that no field has is left to the command to refuse. */
export function migrationInput(form: FormData, vmId: string): Input<"migrate_vm"> {
  const pools = fieldsOf(form, MIGRATION_FIELDS.pool).map(([target, pool]) => ({ target, pool }));
  const networks = fieldsOf(form, MIGRATION_FIELDS.network).map(([from, to]) => ({ from, to }));
  /** A number that is none is left to the command to refuse. */
  const numberIn = <N extends string>(name: N): { [K in N]?: number } => {
    const text = textIn(form, name);
    return text === undefined ? {} : { [name]: Number(text) } as { [K in N]: number };
  };
  const compression = textIn(form, "compression"), directTo = textIn(form, "directTo");
  return {
    vmId,
    toHost: textIn(form, "toHost") ?? "",
    ...(pools.length > 0 && { pools }),
    ...(networks.length > 0 && { networks }),
    ...numberIn("bandwidthMib"),
    ...numberIn("maxDowntimeMs"),
    ...numberIn("connections"),
    ...(compression !== undefined &&
      { compression: compression as Input<"migrate_vm">["compression"] & string }),
    ...(directTo !== undefined && { directTo }),
    ...(form.has("dropSnapshots") && { snapshots: "drop" as const }),
    slowGuest: form.has("slowGuest"),
    keepDisks: form.has("keepDisks"),
    ...(form.has("breakRules") && { breakRules: true }),
  };
}
