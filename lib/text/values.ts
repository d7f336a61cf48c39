/**
 * Parses values as people write them – `20G`, `yes`, `2h`, `operator@group:web` – to the value that a field's schema
 * wants. The command line reads its words by it, pages their forms. Pure.
 */
import { type Message, message } from "../i18n/message.ts";
import { momentIn } from "../i18n/zone_choice.ts";
import { parseJson } from "./json.ts";

/** The parts of JSON Schema that decide how a field is written. */
export interface FieldSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly FieldSchema[];
  readonly items?: FieldSchema;
  readonly description?: string;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly "x-secret"?: boolean;
  /** Of a secret: a form is shown again with it. */
  readonly "x-one-time"?: boolean;
  /** Of a secret: the field with which the command line asks for it. */
  readonly "x-asked-with"?: string;
  /** Value of a form's empty field. */
  readonly "x-empty"?: unknown;
  readonly "x-words"?: string;
  /** The field of a range's last number, where this one has its first. */
  readonly "x-last"?: string;
  /** Fields that a form has with this one. */
  readonly "x-or"?: readonly string[];
}
/** How a field's value is written: JSON for what has parts of its own. */
export const KINDS = [
  "boolean",
  "string",
  "number",
  "size",
  "figure",
  "bitrate",
  "time",
  "strings",
  "grants",
  "json",
] as const;
export type Kind = typeof KINDS[number];

/** The schema without "or nothing". */
export function unwrappedSchema(schema: FieldSchema): FieldSchema {
  const [only, ...others] = schema.anyOf?.filter(({ type }) => type !== "null") ?? [];
  return only !== undefined && others.length === 0 ? { ...schema, ...only } : schema;
}

/** The words that a field may have; undefined where any will do. */
export const choicesOf = (schema: FieldSchema): string[] | undefined =>
  (unwrappedSchema(schema).enum ?? unwrappedSchema(schema).items?.enum)?.map(String);

/** How the value of a field is written. */
export function valueKind(field: string, schema: FieldSchema): Kind {
  const { type, items, description = "" } = unwrappedSchema(schema);
  switch (type) {
    case "boolean":
    case "string":
      return type;
    case "integer":
    case "number":
      if (description.startsWith("milliseconds since 1970")) return "time";
      if (/(Bytes|BytesSec(Max)?|Mb|Gb|boundBurst)$/.test(field)) return "size";
      if (/bound(Average|Peak)$/.test(field)) return "bitrate";
      return /threshold$/i.test(field) ? "figure" : "number";
    case "array":
      if (items?.type === "string") return "strings";
      return items?.properties?.role && items.properties.on ? "grants" : "json";
    default:
      return "json";
  }
}

const BINARY: Readonly<Record<string, number>> = { "": 0, k: 1, m: 2, g: 3, t: 4, p: 5 };
const UNIT_OF: readonly (readonly [suffix: RegExp, power: number])[] = [
  [/Bytes(Sec(Max)?)?$/, 0],
  [/boundBurst$/, 1],
  [/Mb$/, 2],
  [/Gb$/, 3],
];

/** `20G` in the unit of a field: bytes, KiB, MiB or GiB. */
function size(field: string, text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:[.,]\d+)?)\s*([kmgtp]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  const own = UNIT_OF.find(([suffix]) => suffix.test(field))?.[1] ?? 0;
  // A bare number is in the field's own unit, as in JSON.
  const power = unit === "" ? own : BINARY[unit!.toLowerCase()]!;
  const value = Number(amount.replace(",", ".")) * 1024 ** (power - own);
  // No part of a byte; and what is little is not nothing.
  return own === 0 && value > 0 ? Math.max(1, Math.round(value)) : value;
}

/** `90`, `90 %`, `1.5 ms` and `40 °C` as they stand; `2G` and `10 MiB/s` in bytes: a series' own unit is its base unit. */
function figure(text: string): number | undefined {
  const [, amount, unit = ""] = FIGURE.exec(text.trim()) ?? [];
  return amount === undefined
    ? undefined
    : Number(amount.replace(",", ".")) * 1024 ** BINARY[unit.toLowerCase()]!;
}
const FIGURE =
  /^([+-]?\d+(?:\.\d+|,\d{1,2})?(?:e[+-]?\d+)?)\s*(?:([kmgtp])(?:i?b)?(?:\/s)?|b(?:\/s)?|%|ms|°?c|\/s)?$/i;

/** Kilobytes, of 1,000 bytes, of a kilobit, megabit and gigabit. */
const KILOBYTES: Readonly<Record<string, number>> = { k: 0.125, m: 125, g: 125_000 };

/** `100Mbit`, `100 Mbit/s` and `1.5gbit` in kilobytes per second; a bare number is in these already, as in JSON. */
function bitrate(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:[.,]\d+)?)\s*(?:([kmg])bits?(?:\/s)?)?$/i.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  const value = Number(amount.replace(",", "."));
  if (unit === undefined || value === 0) return value;
  // A rate that is little is not no limit
  return Math.max(1, Math.round(value * KILOBYTES[unit.toLowerCase()]!));
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A date and a time of day, without a zone: as a page's field has it. */
const LOCAL = /^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;

/** `2h` ago, a date, a date and time in the page's zone (the shell's on the command line), or milliseconds since 1970. */
function time(text: string, now: number): number | undefined {
  const [, amount, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return now - Number(amount) * SECONDS[unit!]! * 1000;
  if (/^\d+$/.test(text)) return Number(text);
  if (LOCAL.test(text)) return momentIn(text);
  const found = Date.parse(text);
  return Number.isNaN(found) ? undefined : found;
}

/** Kind of what a grant is on → its field. */
const GRANT_FIELDS = { group: "group", vm: "vmId", host: "host", project: "project" } as const;

/** `operator`, `operator@group:web`, `viewer@vm:web1`, `viewer@project:shop`, `viewer@host:kvm2`. */
function grant(text: string): unknown {
  const [, role, kind, what] = /^([^@]+)(?:@(group|vm|host|project):(.+))?$/.exec(text) ?? [];
  if (role === undefined) return undefined;
  if (kind === undefined) return { role, on: { kind: "everything" } };
  return { role, on: { kind, [GRANT_FIELDS[kind as keyof typeof GRANT_FIELDS]]: what } };
}

/** Words for yes and no. */
export const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

type Read = (given: string, field: string, now: number) => unknown;

/** How each kind is read, undefined where it cannot be; and what is said then. */
const READ: Readonly<Record<Kind, readonly [read: Read, fault: Message]>> = {
  string: [(given) => given, message`must be a text`],
  strings: [(given) => given, message`must be a text`],
  boolean: [(given) => BOOLEANS[given.toLowerCase()], message`must be yes or no`],
  number: [
    (given) => given.trim() === "" || Number.isNaN(Number(given)) ? undefined : Number(given),
    message`must be a number`,
  ],
  size: [(given, field) => size(field, given), message`must be a size like 512M or 20G`],
  figure: [(given) => figure(given), message`must be a number like 90, or a size like 2G`],
  bitrate: [
    (given) => bitrate(given),
    message`must be a rate like 100Mbit, or a number of kilobytes per second`,
  ],
  time: [(given, _field, now) => time(given, now), message`must be a time like 2h (ago) or 2026-11-21T15:00`],
  grants: [
    (given) => given.trimStart().startsWith("[") ? json(given) : grant(given),
    message`must be a role, role@group:NAME, role@vm:NAME, role@project:NAME, role@host:ID, or JSON`,
  ],
  json: [json, message`must be JSON`],
};

function json(given: string): unknown {
  try {
    return parseJson(given);
  } catch {
    return undefined;
  }
}

/** A value that was read, or what is wrong with the text: "must be a number". */
export type ReadValue = { readonly value: unknown } | { readonly fault: Message };

/** Reads what was written for a field. @param now milliseconds since 1970, for times like `2h` */
export function readValue(field: string, kind: Kind, given: string, now = Date.now()): ReadValue {
  const [read, fault] = READ[kind];
  const value = read(given, field, now);
  return value === undefined ? { fault } : { value };
}
