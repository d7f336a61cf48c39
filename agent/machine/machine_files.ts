/** The file functions of {@link LocalMachine}. All of them go through the mount gate. */
import { isTaken, isThere, lookAt, readRegular, readRegularEnd } from "./files.ts";
import { openFile, reach, readStart, realPathOf, statFile } from "./host_file.ts";
import { hostFiles } from "./host_files.ts";
import { requireResponding, responds } from "./mount_gate.ts";

export const machineFiles = {
  ...hostFiles,
  statFile,
  openFile,
  reach,
  readStart,
  realPathOf,
  isThere,
  isTaken,
  lookAt,
  readRegular,
  readRegularEnd,
  requireResponding,
  responds,
} as const;

export type MachineFiles = typeof machineFiles;
