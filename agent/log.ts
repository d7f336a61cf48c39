/** The log: one line an entry on stderr, `level message key=value …`, as journald and people read it. */
import { ContractError } from "../lib/contract/errors.ts";
import { renderPlain } from "../lib/i18n/message.ts";
import { LineOutput, STDERR } from "./log_output.ts";

/** Levels in rising order. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];
type Fields = Record<string, unknown>;

let threshold: number = LOG_LEVELS.indexOf("info");

/** Shows entries of `level` and above. */
export function setLogLevel(level: LogLevel): void {
  threshold = LOG_LEVELS.indexOf(level);
}

/** A value as JSON; what has none (a circle, a function) as its plain text. */
function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** Text of an error, in English: readers of the log need not be the caller. */
const wordsOf = (error: Error): string =>
  error instanceof ContractError ? String(renderPlain(error.sentence)) : error.message;

/** A value on one line, without control characters: what guests and clients send must not forge lines or colours. */
function plain(value: unknown): string {
  const text = value instanceof Error ? wordsOf(value) : typeof value === "string" ? value : asJson(value);
  const line = text.slice(0, 2000).replace(
    // deno-lint-ignore no-control-regex -- control characters are what is to be made visible
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
  return /^[\w.:/@+-]+$/.test(line) ? line : JSON.stringify(line).replaceAll("\\\\u", "\\u");
}

function lineOf(level: LogLevel, message: string, fields: Fields): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined).map(([key, value]) =>
    `${key}=${plain(value)}`
  );
  return [new Date().toISOString(), level, message, ...pairs].join(" ") + "\n";
}

/** Milliseconds the end of the process waits for a reader that does not keep up. */
const FLUSH_MS = 500;

// An entry is out, where stderr takes it, when this returns: the process may die of what it tells.
const output = new LineOutput(
  STDERR,
  (lines) => lineOf("warn", `${lines} lines were dropped: what reads this log did not keep up`, {}),
);
addEventListener("unload", () => output.flush(FLUSH_MS));

function write(level: LogLevel, message: string, fields: Fields): void {
  if (LOG_LEVELS.indexOf(level) < threshold) return;
  output.write(lineOf(level, message, fields));
}

export const log = {
  debug: (message: string, fields: Fields = {}) => write("debug", message, fields),
  info: (message: string, fields: Fields = {}) => write("info", message, fields),
  warn: (message: string, fields: Fields = {}) => write("warn", message, fields),
  error: (message: string, fields: Fields = {}) => write("error", message, fields),
};
