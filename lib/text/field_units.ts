/** The units that fields are typed in, by the names of the fields: no larger number than people think in. Pure. */
import { BITS_OF_KILOBYTE, MIB } from "./byte_units.ts";
import type { Kind } from "./values.ts";

/** A unit that a field is typed in. */
export interface FieldUnit {
  /** Unit to append to a bare number so that it is parsed right; empty if that is the field's own unit. */
  readonly typed: string;
  /** Its symbol. */
  readonly label: string;
  /** How many of the field's own unit one is. */
  readonly size: number;
}

const UNITS: readonly (readonly [of: RegExp, unit: FieldUnit])[] = [
  [/BytesSec(Max)?$/, { typed: "M", label: "MiB/s", size: MIB }],
  [/bound(Average|Peak)$/, { typed: "Mbit", label: "Mbit/s", size: 1e6 / BITS_OF_KILOBYTE }],
  [/boundBurst$/, { typed: "", label: "KiB", size: 1 }],
  [/IopsSec(Max)?$/, { typed: "", label: "IOPS", size: 1 }],
  [/MaxLength$/, { typed: "", label: "s", size: 1 }],
  [/Gb$/, { typed: "", label: "GiB", size: 1 }],
  [/^mtu$/, { typed: "", label: "bytes", size: 1 }],
  [/Mb$/, { typed: "", label: "MiB", size: 1 }],
];

/** The unit that a field is typed in; undefined for one without. */
export function unitOf(field: string, kind: Kind): FieldUnit | undefined {
  if (!["number", "size", "bitrate"].includes(kind)) return undefined;
  return UNITS.find(([of]) => of.test(field))?.[1];
}

/** A number in the unit that its field is typed in. */
export function inUnit(value: number, unit: FieldUnit | undefined): string {
  return String(Number((value / (unit?.size ?? 1)).toFixed(6)));
}
