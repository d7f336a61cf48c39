/** Schema pieces that several nouns share. JSON Schema 2020-12 as data (typebox), so OpenAPI and forms read the same. */
import Type, { type TProperties } from "typebox";

/** An object that refuses fields it does not know (threat: mass assignment). */
export function closed<P extends TProperties>(properties: P, options: { description?: string } = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** One of a list of words. */
export function oneOf<const T extends readonly string[]>(values: T, options: { description?: string } = {}) {
  return Type.Unsafe<T[number]>({ type: "string", enum: [...values], ...options });
}

/** A command without input. */
export const NOTHING_IN = closed({});
/** A command without an answer. */
export const NOTHING_OUT = Type.Null();

/** A VM's id: its libvirt UUID. Checked for shape only as far as needed to be safe; an unknown one is `VmNotFound`. */
export const VmId = Type.String({ minLength: 1, maxLength: 128, description: "UUID of the VM" });

/** A backup's id. */
export const BackupId = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[0-9A-Za-z-]+$",
  description: "id of the backup",
});

/** Marks a moment by the clock of the host: of a linked host it is told, and taken, by the clock of who asks. */
const HOST_CLOCK = { "x-host-clock": true } as const;

/** Milliseconds since 1970 (UTC), by the host's clock. */
export const Timestamp = Type.Integer({
  ...HOST_CLOCK,
  description: "milliseconds since 1970-01-01T00:00:00Z",
});

/** The same by another clock: a guest's, or that of who has signed a certificate. */
export const ForeignTimestamp = Type.Integer({ description: "milliseconds since 1970-01-01T00:00:00Z" });

/** A moment by the host's clock as it is taken: none before 1970, none beyond what a number holds. */
export const Instant = Type.Integer({
  ...HOST_CLOCK,
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "milliseconds since 1970-01-01T00:00:00Z",
});

/** Marks a field of a command's input as secret: the audit does not keep it, whatever stands in it. */
export const SECRET = { "x-secret": true } as const;

/**
 * Marks a secret that is used once and ends within minutes: a form that was refused is shown again with it, so that it need not
 * be fetched again.
 */
export const ONE_TIME_SECRET = { ...SECRET, "x-one-time": true } as const;

/** Marks a field that may hold secrets, and is typed and shown as any other: the audit does not keep it. */
export const UNRECORDED = { "x-unrecorded": true } as const;

/** Marks a field that has the input of another command: that whose name the field next to it has. */
export const inputOf = (field: string) => ({ "x-input-of": field }) as const;

/** Marks a secret that the command line asks for once another field is given. */
export const askedWith = (field: string) => ({ "x-asked-with": field }) as const;

/** Value of a form's empty field. Elsewhere an empty optional field is as if absent. */
export const emptyAs = <V extends string | number>(value: V) => ({ "x-empty": value }) as const;
/** A text that a form empties by an empty field. */
export const CLEARABLE = emptyAs("");

/** A program that a form has in one line with its arguments, cut as a shell cuts words; those go to the list named. */
export const withWords = <L extends string>(list: L) => ({ "x-words": list }) as const;

/** A number that a form has in one field with the last of a range: `5000-5010`. */
export const withLast = <L extends string>(last: L) => ({ "x-last": last }) as const;

/** A text that a form has in one field with those of others: it goes to the first whose pattern its first word fits. */
export const withOthers = <F extends string>(...fields: readonly F[]) => ({ "x-or": fields }) as const;

/**
 * Begins a pattern of names to be made: no blank at either end, Unicode's among them (NBSP, U+3000, BOM). No user could
 * tell two such names apart. Names that exist already may have them.
 */
export const NO_OUTER_BLANK = "^(?!\\s)(?!.*\\s$)";

/** A text for people that may be a message until it is told (`lib/i18n/message.ts`). */
export const SentenceText = (options: { readonly description?: string } = {}) =>
  Type.String({ ...options, "x-sentence": true });
