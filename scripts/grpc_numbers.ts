/** The committed numbers of gRPC's fields (`lib/grpc/field_numbers.json`): fields of the contract that are new get the next ones. */
import { join } from "node:path";
import { contractFile } from "../lib/grpc/contract_file.ts";
import { lostNumbers, type NumberLock, updatedLock } from "../lib/grpc/numbers.ts";
import { PROJECT, textIfThere } from "./project.ts";

export const NUMBERS_FILE = join(PROJECT, "lib/grpc/field_numbers.json");

/** The lock as it is committed; empty where there is none. */
export const committedNumbers = async (): Promise<NumberLock> =>
  JSON.parse(await textIfThere(NUMBERS_FILE) ?? "{}") as NumberLock;

/** The text of the lock for the contract as it is. @throws {Error} when it would give a number a second meaning */
export async function numbersSource(): Promise<string> {
  const before = await committedNumbers();
  const after = updatedLock(before, contractFile(before).messages.locked());
  const lost = lostNumbers(before, after);
  if (lost.length > 0) throw new Error(`numbers of fields would be lost:\n${lost.join("\n")}`);
  return `${JSON.stringify(after, null, 2)}\n`;
}
