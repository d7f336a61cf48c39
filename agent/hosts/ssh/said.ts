/** Error messages of OpenSSH's programs. */
import { oneLine } from "../../../lib/text/text.ts";

/** Characters that are told. */
const LONGEST = 200;

/** The last line of what a program wrote to standard error, without the remarks of ssh-keyscan; else what it means. */
export function lastSaid(stderr: string, otherwise: string): string {
  const last = stderr.split("\n").map((line) => line.trim()).filter((line) =>
    line !== "" && !line.startsWith("#")
  ).at(-1);
  return oneLine(last ?? otherwise, LONGEST);
}
