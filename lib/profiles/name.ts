/** Names of profiles. Pure. */
import { ContractError } from "../contract/errors.ts";
import { LONGEST_NAME, TOOL_NAME_PATTERN } from "../contract/profiles.ts";

const PATTERN = new RegExp(TOOL_NAME_PATTERN, "u");

/**
 * A name as it is kept: composed (NFC), so that two spellings of one name are one.
 *
 * @throws {ContractError} InvalidName
 */
export function profileName(typed: string): string {
  const name = typed.normalize("NFC"), length = [...name].length;
  if (length >= 1 && length <= LONGEST_NAME && PATTERN.test(name)) return name;
  throw new ContractError("InvalidName", { name: name.slice(0, LONGEST_NAME), field: "name" }, {
    message:
      `Invalid profile name: must be 1-${LONGEST_NAME} characters on one line, without slashes, blanks at its ` +
      "ends, and characters that are not seen",
  });
}
