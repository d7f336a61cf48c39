/** Command line functions for VMs outside the contract. */
import stringWidth from "string-width";
import { shell } from "../../lib/i18n/en/shell.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { message } from "../../lib/i18n/message.ts";
import type { DeletePlan, DeleteVmResult, VmDevices } from "../../lib/contract/mod.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import type { Server } from "../connect/server.ts";
import { receiptLine } from "./bin.ts";
import type { ExtrasTable, InputDraft } from "./verb_extras.ts";
import { idsOf } from "./resolve_ids.ts";
import { MIGRATION_REPORT } from "./migrate_vm.ts";
import { MOVE_REPORT } from "./move_disk.ts";
import { UsageError } from "./values.ts";

const { plural, t } = textsOf(shell);

/** Words in columns as wide as the longest. */
function aligned(words: readonly string[]): readonly string[] {
  const width = Math.max(...words.map((word) => stringWidth(word)));
  return words.map((word) => word + " ".repeat(width - stringWidth(word)));
}

/** Lines on a deleted VM's disks: each by its name, with the reason if it was kept. */
function deletedLines(name: string, plan: unknown, answer: unknown): string[] {
  const { deletedDisks, bin, warnings = [] } = answer as DeleteVmResult;
  const { disks } = plan as DeletePlan;
  const binned = bin?.paths ?? [];
  const gone = new Set([...deletedDisks, ...binned]);
  const kept = disks.filter(({ path }) => !gone.has(path));
  const [inBin, deleted, stays] = aligned([
    t("shell.disk_in_bin"),
    t("shell.disk_deleted"),
    t("shell.disk_kept"),
  ]);
  return [
    gone.size === 0 ? t("shell.deleted", { name }) : plural("shell.deleted_with", gone.size, { name }),
    ...(bin === null ? [] : [receiptLine(bin)]),
    ...binned.map((path) => `  ${inBin}  ${path}`),
    ...deletedDisks.map((path) => `  ${deleted}  ${path}`),
    ...kept.map(({ path, allocationBytes, deletable, reason }) => {
      const size = allocationBytes === undefined ? "" : `, ${formatBytes(allocationBytes)}`;
      const why = deletable ? t("shell.not_asked_for") : reason ?? t("shell.not_deletable");
      return `  ${stays}  ${path} (${why}${size})`;
    }),
    ...warnings.map((warning) => `  ${warning}`),
  ];
}

async function diskSize(
  server: { call(command: string, input: unknown): Promise<unknown> },
  { vmId, target }: InputDraft,
): Promise<number> {
  const { disks } = await server.call("get_vm_devices", { vmId }) as VmDevices;
  const found = disks.find((disk) => disk.target === target);
  if (!found) {
    const known = disks.map((disk) => disk.target).join(", ");
    throw new UsageError(message`the VM has no disk ${String(target)}: it has ${known || message`none`}`);
  }
  if (found.capacityBytes === undefined) {
    throw new UsageError(
      message`how large ${String(target)} is now is not known: say the whole new size, like 40G`,
    );
  }
  return found.capacityBytes;
}

/** The drive a medium goes into, where a VM has one alone. @throws {UsageError} */
async function onlyDrive(server: Server, vm: string): Promise<string> {
  const [vmId] = await idsOf(server, "vmId", vm);
  const { disks } = await server.call("get_vm_devices", { vmId }) as VmDevices;
  const drives = disks.filter(({ device }) => device === "cdrom" || device === "floppy");
  if (drives.length === 1) return drives[0]!.target;
  const known = drives.map(({ target }) => target).join(", ");
  throw new UsageError(
    known === ""
      ? message`${vm} has no drive: add one with kvm-manager vm attach-disk ${vm} --device cdrom`
      : message`${vm} has several drives (${known}): say which: kvm-manager vm insert-media ${vm} TARGET PATH`,
  );
}

export const VM_EXTRAS: ExtrasTable = {
  insert_media: {
    otherPlaces: {
      usage: "<vm> <path>",
      // No drive's name has a slash, and every place of a medium has.
      read: ([vmId, path = "", ...others]) =>
        others.length === 0 && path.includes("/") ? { vmId, path } : undefined,
    },
    expand: async (input, _given, { server }) => {
      if (input.target === undefined && typeof input.vmId === "string") {
        input.target = await onlyDrive(server, input.vmId);
      }
    },
  },
  delete_vm: {
    report: {
      before: (server, { vmId }) => server.call("get_delete_plan", { vmId }),
      lines: deletedLines,
    },
  },
  set_tags: {
    shorthands: { clear: { text: "take all tags away" } },
    expand: (input, { clear }) => {
      if (clear === true) input.tags = [];
      return Promise.resolve();
    },
  },
  move_disk: { report: MOVE_REPORT },
  migrate_vm: { report: MIGRATION_REPORT },
  resize_disk: {
    growing: { field: "sizeGb", now: diskSize },
  },
};
