/** An operation as it is kept: its specification, its steps, and the names of what it holds. */
import type { CommandName } from "../../lib/contract/mod.ts";
import type { Step } from "./step.ts";

/** Specification of an operation. */
export interface OperationSpec {
  readonly command: CommandName;
  /** Its name for people: a VM's name, or `pool/volume`. */
  readonly subject: string;
  readonly vmId?: string;
  readonly actor: string;
  /** Keys that no other operation may use until it is settled; see {@link keyOf}. */
  readonly keys: readonly string[];
}

/** Why an operation was cut short: libvirt went away under it, or its process ended. */
export type Cause = "link" | "process";

/** An operation as it is kept. */
export interface OperationRecord extends OperationSpec {
  readonly id: string;
  /** Id of the host it works on. */
  readonly host: string;
  /** The URI of that host's libvirt: another libvirt that the host's id was given later has none of what it made. */
  readonly uri: string;
  readonly startedAt: number;
  jobId?: string;
  /** When and why it was cut short; absent while it runs. */
  cut?: { readonly at: number; readonly cause: Cause };
  /** It is taken back, whatever it wanted. */
  back?: boolean;
  /** A file tells that it is not over (`open_marks.ts`). */
  marked?: boolean;
  steps: Step[];
}

/** The name under which an operation holds something. */
export const keyOf = {
  vm: (uuid: string): string => `vm:${uuid}`,
  freeze: (uuid: string): string => `freeze:${uuid}`,
  vmName: (name: string): string => `vm-name:${name}`,
  volume: (pool: string, name: string): string => `volume:${pool}/${name}`,
  pool: (name: string): string => `pool:${name}`,
  network: (name: string): string => `network:${name}`,
  template: (name: string): string => `template:${name}`,
  binEntry: (id: string): string => `bin:${id}`,
  backupCopy: (id: string): string => `backup-copy:${id}`,
};
