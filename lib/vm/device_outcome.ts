/** What is said of a form about a device once the server answered. */
import type { ErrorCode } from "../contract/errors.ts";
import type { devices } from "../i18n/en/devices.ts";
import type { PlainKeyOf } from "../i18n/mod.ts";
import type { DeviceAction } from "./device_forms.ts";

/** What is said when it was done. */
export const DEVICE_DONE: Readonly<Record<DeviceAction, PlainKeyOf<typeof devices>>> = {
  attach_disk: "devices.done_attach_disk",
  detach_disk: "devices.done_detach_disk",
  resize_disk: "devices.done_resize_disk",
  move_disk: "devices.done_move_disk",
  update_disk: "devices.done_update_disk",
  insert_media: "devices.done_insert_media",
  eject_media: "devices.done_eject_media",
  attach_nic: "devices.done_attach_nic",
  attach_share: "devices.done_attach_share",
  detach_share: "devices.done_detach_share",
  detach_nic: "devices.done_detach_nic",
  update_nic: "devices.done_update_nic",
};

const FIELDS: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
  InvalidDiskSize: ["sizeGb"],
  NotLarger: ["sizeGb"],
  DiskExceedsPool: ["sizeGb", "pool"],
  StoragePoolNotFound: ["pool"],
  StoragePoolNotActive: ["pool"],
  VolumeNotFound: ["image", "medium"],
  DiskInUse: ["image", "medium"],
  DiskRefused: ["image", "medium"],
  DiskNotFound: ["imagePath"],
  IsoNotFound: ["mediumPath"],
  NotHotpluggable: ["bus"],
  BusNotSupported: ["bus"],
  NoFreeTarget: ["bus"],
  MediaLocked: ["force"],
  PathRefused: ["folder"],
  ShareExists: ["tag"],
  InvalidMac: ["newMac"],
  MacInUse: ["newMac"],
  NetworkNotFound: ["source"],
  NetworkNotActive: ["source"],
  BridgeNotFound: ["source"],
  HostInterfaceNotFound: ["source"],
  FilterNotFound: ["filter"],
  LimitsNotSupported: ["source"],
  InvalidInput: ["filterAddresses", "tag"],
};

/**
 * The field of a form that an error is about; undefined when it is about the whole, or the form has no such field.
 *
 * @param named the field that the error itself names
 */
export function fieldOf(code: string, form: Pick<FormData, "has">, named?: string): string | undefined {
  if (named !== undefined && form.has(named)) return named;
  // It would be told at a field that it is not about
  if (named !== undefined && code === "InvalidInput") return undefined;
  const fields = Object.hasOwn(FIELDS, code) ? FIELDS[code as ErrorCode] : undefined;
  return fields?.find((name) => form.has(name));
}
