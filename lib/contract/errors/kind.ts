/** Kinds of errors, for all areas. */

/** Meaning of one error code at each interface. */
export interface ErrorKind {
  /** The exact text; `{key}` is replaced by `details.key`. */
  readonly text: string;
  /** Whole texts in its place, by what the detail `verb` is: a verb is no part that other languages can put in. */
  readonly byVerb?: Readonly<Record<string, string>>;
  /** HTTP status (RFC 9110). */
  readonly status: number;
  /** Exit status of the command line. 2 usage, 3 unavailable, 4 not found, 5 conflict, 6 denied, 1 the rest. */
  readonly exit: number;
}
