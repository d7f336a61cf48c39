/**
 * What commands on a machine need beside the right to it: a disk or a network that is named belongs to everybody, not
 * to that machine. Without this, whoever may change one machine could attach another's disk to it.
 */
import type { CommandName } from "../contract/mod.ts";

/** A permission on everything that is needed too, where the input has one of the fields (always, without fields). */
interface Beside {
  readonly permission: string;
  readonly fields?: readonly string[];
}

const BESIDE: Partial<Record<CommandName, readonly Beside[]>> = {
  attach_disk: [{ permission: "storage.operate" }],
  detach_disk: [{ permission: "storage.operate", fields: ["deleteVolume"] }],
  insert_media: [{ permission: "storage.view" }],
  get_device_options: [{ permission: "storage.view" }, { permission: "networks.view" }],
  attach_nic: [{ permission: "networks.view" }],
  update_nic: [{ permission: "networks.view", fields: ["network", "bridge", "direct"] }],
  clone_vm: [{ permission: "storage.operate" }],
  set_cloud_init: [{ permission: "storage.view" }],
};

/** Permissions on everything that a call needs beside its command's own. */
export function besides(command: CommandName, input: unknown): string[] {
  const given = (field: string) => typeof input === "object" && input !== null && Object.hasOwn(input, field);
  return (BESIDE[command] ?? [])
    .filter(({ fields }) => fields === undefined || fields.some(given))
    .map(({ permission }) => permission);
}
