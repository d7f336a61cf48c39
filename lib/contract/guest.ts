/** Inside the VM: what the guest's agent reports, and does in it. All that it reports is the guest's own word. */
import { guestAccountCommands } from "./guest/accounts.ts";
import { guestAgentCommands } from "./guest/agents.ts";
import { guestControlCommands } from "./guest/control.ts";
import { guestExecCommands } from "./guest/exec.ts";
import { guestFileCommands } from "./guest/files.ts";
import { guestInfoCommands } from "./guest/info.ts";
import { guestLoadCommands } from "./guest/load.ts";
import { guestMetadataCommands } from "./guest/metadata.ts";
import { guestPackageCommands } from "./guest/packages.ts";
import { guestServiceCommands } from "./guest/services.ts";

export { ENCODINGS } from "./guest/common.ts";
export * from "./guest/agents.ts";
export * from "./guest/info.ts";
export * from "./guest/load.ts";
export * from "./guest/services.ts";
export * from "./guest/packages.ts";
export * from "./guest/exec.ts";
export * from "./guest/files.ts";
export * from "./guest/control.ts";
export * from "./guest/accounts.ts";
export * from "./guest/metadata.ts";

/** All of them. */
export const guestCommands = {
  ...guestAgentCommands,
  ...guestInfoCommands,
  ...guestLoadCommands,
  ...guestServiceCommands,
  ...guestPackageCommands,
  ...guestExecCommands,
  ...guestFileCommands,
  ...guestControlCommands,
  ...guestAccountCommands,
  ...guestMetadataCommands,
};
