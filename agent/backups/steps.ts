/** Settles steps of backups: a VM that boots a copy as a test is deleted, and so are QEMU's copies of disks. */
import { left, NOTHING, removed, t } from "../operations/outcome.ts";
import type { StepRule, StepRules } from "../operations/settlement.ts";
import { eraseNvram } from "../vm/lifecycle/undefine.ts";
import { backupSpooled } from "./spool.ts";

/** Ends a VM that was made for a test. Its disks go with the steps before it. */
const trialVm: StepRule<"trial-vm"> = {
  undo: async ({ uuid, name, nvram }, { vms }) => {
    const { link, inventory } = vms;
    const domain = await link.call("domainRead", { uuid });
    if (domain?.persistent) return { ...left(name, t("operations.is_defined")), stop: true };
    if (domain !== null) await link.call("domainDestroy", { uuid });
    if (nvram !== undefined) await eraseNvram(vms, uuid, nvram);
    await inventory.refresh(uuid);
    return domain === null ? NOTHING : removed(name);
  },
};

/** How the steps of backups are settled. */
export const backupSteps = { "trial-vm": trialVm, "backup-spooled": backupSpooled } satisfies Partial<
  StepRules
>;
