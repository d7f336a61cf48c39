/** libvirt's log of a VM's QEMU, made fit to show. Pure. */

/** Longest line that is shown, in characters: a command line of QEMU has a line for each argument. */
const LONGEST = 16_384;
/** A start, as libvirt writes it first: `2026-11-25 13:33:16.828+0000: starting up libvirt version: 9.0.0, …`. */
const START = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\S*: starting up libvirt version: /;
/** The argument that says which VM a start was of. */
const UUID = /(?:^| )-uuid ([0-9a-f-]{36})(?= |$)/;

// Controls could drive a terminal; direction characters could turn the text after them around.
// deno-lint-ignore no-control-regex -- control characters are what is to be made visible
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** A control character as the picture of it; those that have none as a mark. */
const picture = (control: string) => {
  const code = control.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\u2426";
};

const shown = (line: string) => {
  const cut = line.length > LONGEST ? `${line.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, "")}…` : line;
  return cut.replace(CONTROLS, picture);
};

/** VM whose log is read, and the rights of the reader. */
export interface LogReader {
  readonly uuid: string;
  /** While a VM runs, what follows the last start is its own. */
  readonly isRunning: boolean;
  /** Whether lines whose start was not read are shown although an earlier VM of that name may have written them. */
  readonly isTrusted: boolean;
}

/** First line to show, and whether the VM's own lines begin there. */
function ownFrom(lines: readonly string[], { uuid, isRunning, isTrusted }: LogReader) {
  const isOther = (line: string) => {
    const found = UUID.exec(line)?.[1];
    return found !== undefined && found !== uuid;
  };
  const other = lines.findLastIndex(isOther);
  const next = lines.findIndex((line, index) => index > other && START.test(line));
  if (other < 0 && (isTrusted || (isRunning && next < 0))) return { from: 0, isBeginning: false };
  return { from: next < 0 ? lines.length : next, isBeginning: other >= 0 };
}

/** The last lines of a log. */
export interface LogEnd {
  readonly log: string;
  readonly lines: number;
  /** Whether these are all of the VM's own. */
  readonly complete: boolean;
}

/**
 * The last lines of a VM's log.
 *
 * @param text the end of the file @param isWhole whether that is all of it @param most how many lines
 */
export function endOfLog(
  text: string,
  isWhole: boolean,
  most: number,
  reader: LogReader,
): LogEnd {
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  // A line whose beginning is not there says nothing.
  if (!isWhole) all.shift();
  const { from, isBeginning } = ownFrom(all, reader);
  const own = all.slice(from), last = own.slice(-most);
  return {
    log: last.map((line) => `${shown(line)}\n`).join(""),
    lines: last.length,
    complete: last.length === own.length && (isWhole ? from === 0 || isBeginning : isBeginning),
  };
}
