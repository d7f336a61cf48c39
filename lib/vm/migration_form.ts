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

/** What the form asks for. A bandwidth that is no number is left to the command to refuse. */
export function migrationInput(form: FormData, vmId: string): Input<"migrate_vm"> {
  const pools = fieldsOf(form, MIGRATION_FIELDS.pool).map(([target, pool]) => ({ target, pool }));
  const networks = fieldsOf(form, MIGRATION_FIELDS.network).map(([from, to]) => ({ from, to }));
  const bandwidth = textIn(form, "bandwidthMib");
  return {
    vmId,
    toHost: textIn(form, "toHost") ?? "",
    ...(pools.length > 0 && { pools }),
    ...(networks.length > 0 && { networks }),
    ...(bandwidth !== undefined && { bandwidthMib: Number(bandwidth) }),
    slowGuest: form.has("slowGuest"),
    keepDisks: form.has("keepDisks"),
    ...(form.has("breakRules") && { breakRules: true }),
  };
}
