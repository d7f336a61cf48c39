/** One value as people read it: sizes, times, shares, states. Pure. */
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { momentFields } from "../../lib/contract/moments.ts";
import { fixed, withDecimalSign } from "../../lib/i18n/numbers.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatBytes, formatDisk, formatMemory } from "../../lib/text/quantity.ts";
import { contractWord, headingHere, wordHere, wordIn } from "./words.ts";

const { t } = textsOf(shell);

/** Characters that steer a terminal: a VM's name must not move its cursor or write its clipboard. */
// deno-lint-ignore no-control-regex -- these are the very characters
export const STEERING = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text that steers no terminal. The sign is not U+FFFD, which spells bytes (lib/text/byte_text.ts). */
export const escapeControlCharacters = (text: string) => text.replace(STEERING, "\u2426");

export type Row = Readonly<Record<string, unknown>>;

/** Whether a value is an object, and no list. */
export const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `2026-11-21 15:04:05`, in the zone of whoever looks. */
export function time(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `1h 2m`, `12s`. */
export function duration(seconds: number): string {
  const parts = [[86_400, "d"], [3600, "h"], [60, "m"], [1, "s"]] as const;
  let left = Math.max(0, Math.round(seconds));
  const said = parts.flatMap(([length, unit]) => {
    const count = Math.floor(left / length);
    left -= count * length;
    return count > 0 ? [`${count}${unit}`] : [];
  });
  return said.slice(0, 2).join(" ") || "0s";
}

/** Field → how its number is shown, and its heading without the unit. The first that fits counts. */
const NUMBERS: readonly (readonly [field: RegExp, shown: (value: number) => string])[] = [
  [/Bytes$|^(bytes|size)$/, formatBytes],
  [/Mb$/, formatMemory],
  [/Gb$/, formatDisk],
  [/^progress$/, (value) => `${Math.floor(value * 100)} %`],
  [/Percent$/, (value) => `${fixed(value, 1)} %`],
  [/^secondsLeft$|Seconds$/, duration],
  [/Ms$/, (value) => `${value} ms`],
];

/** Headings that are not their field's name in capitals; by the whole path where a part's field says too little. */
const HEADINGS: Readonly<Record<string, string>> = {
  "lastRun.state": "LAST RUN",
  "maintenance.state": "MAINTENANCE",
  cpuCount: "CPUS",
  maxCpuCount: "MAX CPUS",
  diskSizeGb: "DISK",
  osVariant: "OS",
  vmName: "VM",
  vmId: "ID",
  userName: "USER",
  networkInterfaces: "CARDS",
  ipAddress: "ADDRESS",
  tookMs: "TOOK",
  ip: "IP",
  mac: "MAC",
  id: "ID",
  hostPortEnd: "LAST HOST PORT",
  targetPortEnd: "LAST TARGET PORT",
  targetAddress: "TARGET",
  isStatic: "STATIC",
  isBase: "BASE",
  osName: "OS",
  timestamp: "TIME",
  sha256: "SHA256",
  bytes: "SIZE",
};

/** `memoryMb` → `MEMORY`: the unit stands in the cells. In English, as options take it in every language. */
export function heading(path: string): string {
  const field = path.split(/[.|]/).at(-1)!;
  const plain = field.replace(/(Bytes|Mb|Gb|At|_at|Percent|Seconds)$/, "") || field;
  return HEADINGS[path] ?? HEADINGS[field] ??
    plain.replace(/[A-Z]/g, (letter) => ` ${letter}`).replaceAll("_", " ").toUpperCase();
}

/** The same in the shell's language. */
export const shownHeading = (path: string): string => headingHere(heading(path));

/** An object in one cell: what it is called, else its parts. */
function inOne(value: Row): string {
  // A grant: the role, and on what.
  if (typeof value.role === "string" && isRow(value.on)) {
    const { kind, group, vmId, project, host } = value.on;
    return kind === "everything" ? value.role : `${value.role}@${kind}:${group ?? vmId ?? project ?? host}`;
  }
  for (const name of ["name", "message", "cidr", "target", "ip", "mac", "id"]) {
    if (typeof value[name] === "string") return value[name];
  }
  return Object.entries(value).filter(([, part]) => part !== null && part !== undefined && part !== "")
    .map(([field, part]) => `${field}=${plain(field, part)}`).join(" ");
}

/** Whether a text is a moment of a field that is called like one (`created_at`), as commands of the seed write it. */
const isMoment = (field: string, value: unknown): value is string =>
  field.endsWith("_at") && typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);

/** Figures of a list that one cell tells each of. */
const MOST_FIGURES = 8;

function plain(field: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "boolean") return wordHere(value ? "yes" : "no");
  if (typeof value === "number") {
    if (momentFields().has(field)) return time(value);
    return NUMBERS.find(([name]) => name.test(field))?.[1](value) ??
      withDecimalSign(String(Number(value.toFixed(2))));
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return "-";
    const figures = value.filter((each) => typeof each === "number");
    if (figures.length <= MOST_FIGURES) return value.map((each) => plain(field, each)).join(",");
    const [least, most] = [Math.min(...figures), Math.max(...figures)].map((each) => plain(field, each));
    const bounds = { n: value.length, least: least!, most: most! };
    return momentFields().has(field)
      ? t("shell.moments", bounds)
      : t("shell.values", { ...bounds, last: plain(field, value.at(-1)) });
  }
  if (isRow(value)) return inOne(value);
  return isMoment(field, value) ? time(Date.parse(value)) : wordIn(field, String(value));
}

/** One value in one cell. @param path the field, which tells the unit */
export function cell(path: string, value: unknown): string {
  return escapeControlCharacters(plain(path.split(".").at(-1)!, value));
}

/**
 * Value at a dotted path; through a list, the values of its entries. Of several paths with `|` between them, the first
 * that is not empty.
 */
export function at(row: unknown, paths: string): unknown {
  return paths.split("|").map((path) => atOne(row, path))
    .find((value) => value !== undefined && value !== null && value !== "");
}

function atOne(row: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, step) => {
    if (Array.isArray(value)) {
      return value.map((each) => at(each, step)).filter((each) => each !== undefined && each !== "");
    }
    return isRow(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }, row);
}

/** State shown for a VM that does not respond: its last known one is old. */
export const NO_RESPONSE = "not responding";

/**
 * Value shown at a path of a row: "not responding" as the state of a VM that does not respond, the local host if none
 * is named.
 */
export function shownAt(row: Row, path: string): unknown {
  if (path === "host" && row.host === undefined) return LOCAL_HOST;
  return path === "state" && row.responsive === false ? NO_RESPONSE : at(row, path);
}

/** Words of a state → its colour (ECMA-48, SGR). */
const COLOURS: readonly (readonly [words: RegExp, colour: number])[] = [
  [/^(running|active|done|ok|connected|both)$/, 32],
  [/^(crashed|failed|error|conflict|lost|inaccessible|disconnected|interrupted|not responding)$/, 31],
  [/^(paused|suspended|queued|waiting|building|degraded|connecting|cancelled|unavailable)$/, 33],
  [/^(stopped|inactive|disabled|-)$/, 90],
];

/** A cell in the colour of its state; as it is when it is none. @param text the cell, padded */
export function coloured(text: string): string {
  const word = contractWord(text.trim());
  const colour = COLOURS.find(([words]) => words.test(word))?.[1];
  return colour === undefined ? text : `\x1b[${colour}m${text}\x1b[0m`;
}
