/** The field of a form about a device that a refusal is about. */
import type { ErrorCode } from "../contract/errors.ts";
import { fieldPath } from "../text/form_names.ts";

/** Fields that a refusal without the name of a field can be about: the first that the form has. */
const FIELDS: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
  InvalidDiskSize: ["create.sizeGb", "sizeGb"],
  NotLarger: ["sizeGb"],
  DiskExceedsPool: ["create.sizeGb", "sizeGb", "pool"],
  StoragePoolNotFound: ["create.pool", "pool"],
  StoragePoolNotActive: ["create.pool", "pool"],
  VolumeNotFound: ["path"],
  DiskInUse: ["path"],
  DiskRefused: ["path"],
  DiskNotFound: ["path"],
  IsoNotFound: ["path"],
  NotHotpluggable: ["bus"],
  BusNotSupported: ["bus"],
  NoFreeTarget: ["bus"],
  MediaLocked: ["force"],
  PathRefused: ["folder"],
  ShareExists: ["tag"],
  InvalidMac: ["mac", "newMac"],
  MacInUse: ["mac", "newMac"],
  NetworkNotFound: [":plug"],
  NetworkNotActive: [":plug"],
  BridgeNotFound: [":plug"],
  HostInterfaceNotFound: [":plug"],
  FilterNotFound: ["filter"],
  LimitsNotSupported: [":plug"],
};

/**
 * Paths of the fields that an error can be about: the one that it names, else those of its code.
 *
 * @param named the field that the error itself names
 */
export function fieldsOf(code: string, named?: string): readonly string[] {
  if (named !== undefined) return [named];
  return (Object.hasOwn(FIELDS, code) ? FIELDS[code as ErrorCode] : undefined) ?? [];
}

/**
 * The path of the field that an error is about; undefined when it is about the whole, or the form has no such field.
 *
 * @param names of the form's fields
 * @param named the field that the error itself names
 */
export function fieldOf(code: string, names: Iterable<string>, named?: string): string | undefined {
  const paths = new Set([...names].map((name) => fieldPath(name).path || name));
  if (named !== undefined && paths.has(named)) return named;
  // It would be told at a field that it is not about
  if (named !== undefined && code === "InvalidInput") return undefined;
  return fieldsOf(code).find((field) => paths.has(field));
}
