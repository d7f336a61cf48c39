/** KVM Manager's data of a VM that moves: the other host's KVM Manager keeps it from then on, where it can. */
import { mayCall } from "../../../lib/access/may_call.ts";
import { commandMethods } from "../../../lib/client/api.ts";
import { type CommandName, ContractError, type VM } from "../../../lib/contract/mod.ts";
import type { CoverKind } from "../../../lib/coverage/coverage.ts";
import { clauseOf } from "../../../lib/text/message.ts";
import { oneLine } from "../../../lib/text/text.ts";
import type { Principal } from "../../access.ts";
import type { Coverage } from "../../coverage/coverage.ts";
import type { Portable } from "../../feature_part.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import type { FigureTransfer } from "../../metrics/transfer.ts";
import type { MigrationConversation } from "./conversation.ts";
import { t } from "./findings.ts";

/** Objects that belong to a VM, by their fate in a move, each as a noun with its name; those the principal may see. */
export interface Belongings {
  /** It goes along. */
  readonly portable: readonly Portable[];
  /** It stays, and does nothing for the VM any more. */
  readonly stays: readonly string[];
  /** Users and API tokens with rights to the VM. */
  readonly users: readonly string[];
}

const isOfRights = (kind: CoverKind) => kind === "user" || kind === "API token";

export function belongingsOf(
  host: LibvirtHost,
  coverage: Pick<Coverage, "of">,
  vm: VM,
  { rights }: Pick<Principal, "rights">,
): Belongings {
  const portable = host.features.portable(vm).filter(({ needs }) => mayCall(rights, needs));
  const names = new Set(portable.map(({ name }) => name));
  const others = coverage.of(vm, rights, (kind) => !isOfRights(kind));
  return {
    portable,
    stays: others.filter((name) => !names.has(name)),
    users: coverage.of(vm, rights, isOfRights),
  };
}

/** A VM that has moved, and by whom. */
export interface HandOver {
  readonly host: LibvirtHost;
  readonly vm: VM;
  readonly talk: MigrationConversation;
  readonly principal: Principal;
  readonly figures: Pick<FigureTransfer, "read">;
  /** Ends the transfer of its figures. */
  readonly signal: AbortSignal;
}

/** Hands over the portable objects once the VM is there. No failure undoes the move. @returns the rest, with reasons */
export async function handOver(handing: HandOver, { portable }: Belongings): Promise<string[]> {
  const { talk: { host: target }, principal } = handing, stays: string[] = [];
  const there = commandMethods((command, input) =>
    target.run(command as CommandName, input ?? {}, { principal })
  );
  for (const { name, put, release } of portable) {
    try {
      await put(there);
      release();
    } catch (error) {
      if (!(error instanceof ContractError)) {
        log.error("what is kept of a VM was not handed over", { name, error });
      }
      stays.push(t("migration.thing_stays", { name, reason: oneLine(clauseOf(error), 300) }));
    }
  }
  try {
    await sendFigures(handing);
  } catch (error) {
    if (!(error instanceof ContractError)) log.info("figures of a VM do not follow it", { error });
    stays.push(t("migration.figures_stay", { reason: oneLine(clauseOf(error), 300) }));
  }
  return stays;
}

async function sendFigures({ host, vm, talk, figures, signal }: HandOver): Promise<void> {
  for await (const part of figures.read(host.id, vm.id)) {
    signal.throwIfAborted();
    await talk.ask({ do: "keep-figures", figures: part });
  }
}
