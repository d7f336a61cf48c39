/** Position of the next page of a list of all hosts, as a text for a URL. One from outside is checked. */
import { Buffer } from "node:buffer";
import Type from "typebox";
import { fits } from "typebox/compile";
import type { Positions } from "../../lib/search/merged.ts";
import { parseJson } from "../../lib/text/json.ts";

/** Hosts whose places one cursor has, and characters of an id. */
const MOST_HOSTS = 100, LONGEST_ID = 64;

const StoredPlace = Type.Object({ number: Type.Integer(), text: Type.String({ maxLength: LONGEST_ID }) });
const Positions = Type.Record(Type.String(), Type.Union([Type.Null(), StoredPlace]));
/** Positions as a text that an address may have. */
export const cursorText = (positions: Positions): string =>
  Buffer.from(JSON.stringify(positions)).toString("base64url");

/** Reads such a text. @returns undefined for anything else */
export function readCursor(text: string): Positions | undefined {
  let said: unknown;
  try {
    said = parseJson(Buffer.from(text, "base64url").toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!fits(Positions, said)) return undefined;
  const hosts = Object.keys(said);
  return hosts.length <= MOST_HOSTS && hosts.every((host) => host.length <= LONGEST_ID) ? said : undefined;
}
