/** Services and rules for settling a step. */
import type { CommandName, Input } from "../../lib/contract/mod.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { StepOutcome } from "./outcome.ts";
import type { StepKind, StepOf } from "./step.ts";
import type { OperationRecord } from "./operation_record.ts";

/** Services for settling steps. */
export interface SettlementServices {
  readonly vms: LibvirtHost;
  /** How each kind of step is settled, as the features say. */
  readonly rules: StepRules;
  /** Carries a command out in the name of who began the operation. @throws {ContractError} when it is refused */
  run<N extends CommandName>(command: N, input: Input<N>, actor: string): Promise<unknown>;
}

export interface Settlement extends SettlementServices {
  readonly operation: OperationRecord;
}

/** How a kind of step is settled. What throws is tried again later, unless it is `Refused`. */
export interface StepRule<K extends StepKind> {
  /** Carries it out, unless it was. Steps that are wanted have this. */
  finish?(step: StepOf<K>, at: Settlement): Promise<StepOutcome>;
  /** Takes it back, unless it was or never took place. Steps that make something have this. */
  undo?(step: StepOf<K>, at: Settlement): Promise<StepOutcome>;
}

/** Kind of step → how it is settled. */
export type StepRules = { readonly [K in StepKind]: StepRule<K> };
