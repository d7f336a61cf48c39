/** Names in arguments that are no UTF-8: Deno gives them as text, and every byte that is none as U+FFFD. */
import { bytesOfText, textOfBytes } from "../lib/text/byte_text.ts";

const SPELLED = /\ufffd[89a-f][0-9a-f]/g;

/**
 * The arguments as names are spelled (lib/text/byte_text.ts); null where a byte of one is lost, so that it could be
 * another name.
 */
export function spelledArguments(args: readonly string[]): string[] | null {
  if (args.some((word) => word.replaceAll(SPELLED, "").includes("\ufffd"))) return null;
  return args.map((word) => textOfBytes(bytesOfText(word)));
}

/** Error text for a byte lost in a name. */
export const LOST_BYTE =
  "a name holds a byte that is no UTF-8. Write it as lists show it: U+FFFD and two digits, and U+FFFD itself as " +
  "\ufffdef\ufffdbf\ufffdbd";
