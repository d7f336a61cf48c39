/**
 * Protocol Buffers (proto3) as data: what the .proto text, the descriptors of reflection and the codec are made of. Pure.
 * Source: Protocol Buffers, Language Guide (proto 3).
 */

/** Scalar types that we use. */
export const SCALARS = ["string", "int64", "uint64", "int32", "uint32", "double", "bool", "bytes"] as const;
export type Scalar = typeof SCALARS[number];

/** A scalar, or the full name of a message or an enumeration: `kvmmanager.v1.Vm`. */
export type TypeName = string;

/** How often a field may be there. `implicit`: a scalar that is left out where it has its type's zero. */
export type Presence = "implicit" | "optional" | "repeated" | "map";

/** A field of a message. Of a map, `type` is that of its values; its keys are strings. */
export interface ProtoField {
  /** `cpu_count`. */
  readonly name: string;
  /** Name in the JSON object that the message stands for: `cpuCount`. */
  readonly json: string;
  readonly number: number;
  readonly type: TypeName;
  readonly presence: Presence;
  /** The oneof that it is in. */
  readonly oneof?: string;
  /**
   * It is a mark of the JSON field `json`, which Protocol Buffers cannot tell otherwise: that it is there and an empty list,
   * or that it is null.
   */
  readonly marks?: "empty" | "null";
  /** It is null in JSON where it is missing. */
  readonly isNullable?: true;
  readonly comment?: string;
}

export interface ProtoMessage {
  /** Full name: `kvmmanager.v1.Vm`. */
  readonly name: string;
  readonly fields: readonly ProtoField[];
  /** Numbers and names of fields that it had. */
  readonly reserved?: readonly { readonly number: number; readonly name: string }[];
  /** In JSON it stands for the value of this field alone (by its `json`), and for null where that is missing. */
  readonly wraps?: string;
  /** In JSON it stands for null. */
  readonly isNull?: true;
  readonly comment?: string;
}

/** An enumeration. In JSON it stands for the value's name. */
export interface ProtoEnum {
  readonly name: string;
  /** In order, from 0. */
  readonly values: readonly string[];
}

export interface ProtoMethod {
  readonly name: string;
  readonly input: TypeName;
  readonly output: TypeName;
  readonly clientStreams?: boolean;
  readonly serverStreams?: boolean;
  readonly comment?: string;
}

export interface ProtoService {
  /** Full name. */
  readonly name: string;
  readonly methods: readonly ProtoMethod[];
  readonly comment?: string;
}

/** One .proto file. */
export interface ProtoFile {
  /** `kvmmanager/v1/kvm_manager.proto`. */
  readonly path: string;
  readonly package: string;
  readonly imports: readonly string[];
  readonly messages: readonly ProtoMessage[];
  readonly enums: readonly ProtoEnum[];
  readonly services: readonly ProtoService[];
  readonly comment?: string;
}

export const isScalar = (type: TypeName): type is Scalar => (SCALARS as readonly string[]).includes(type);

/** The last part of a full name. */
export const localName = (full: string): string => full.slice(full.lastIndexOf(".") + 1);

/** `cpuCount`, `get-vms` → `cpu_count`, `get_vms`. A run of capitals is one word: `clientDataJSON` → `client_data_json`. */
export const snakeName = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_").toLowerCase();

/** `get_vms`, `cpuCount` → `GetVms`, `CpuCount`. */
export const pascalName = (name: string): string =>
  name.replace(/(^|[^A-Za-z0-9]+)([a-z0-9])/g, (_all, _gap, letter: string) => letter.toUpperCase());

/** JSON's name of a field as protoc makes it: `cpu_count` → `cpuCount`. */
export const protocJsonName = (name: string): string =>
  name.replace(/_+([a-zA-Z0-9])/g, (_all, letter: string) => letter.toUpperCase());

/** A scalar field of its own name, as tables by hand have it. */
export const field = (
  number: number,
  name: string,
  type: TypeName,
  more: Partial<Omit<ProtoField, "number" | "name" | "type">> = {},
): ProtoField => ({ number, name, json: protocJsonName(name), type, presence: "implicit", ...more });
