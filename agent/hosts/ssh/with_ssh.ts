/** Guards work that needs OpenSSH's client and its files. */
import { ContractError } from "../../../lib/contract/errors.ts";
import { sshFilesFault } from "./files.ts";

/** Runs it. @throws {ContractError} HostUnreachable where they are not to be had */
export async function withSsh<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = error instanceof ContractError ? undefined : sshFilesFault(error);
    throw reason === undefined ? error : new ContractError("HostUnreachable", { reason }, { cause: error });
  }
}
