/** Pools as steps: made, deleted with what is in them. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { removePool } from "./pool_delete.ts";
import { NOTHING, removed } from "../operations/outcome.ts";
import type { StepRule, StepRules } from "../operations/settlement.ts";
import { deleteIfSameFile } from "./volume_steps.ts";

/** Takes a pool back that was not finished. */
const poolMade: StepRule<"pool-made"> = {
  undo: async ({ name, uuid, undoBuild }, { vms: { link, inventory } }) => {
    const pool = await link.call("poolRead", { pool: name });
    if (pool === null || !pool.xml.includes(`<uuid>${uuid}</uuid>`)) return NOTHING;
    if (pool.volumes !== null) await link.call("poolStop", { pool: name });
    if (undoBuild) {
      await link.call("poolUnbuild", { pool: name }).catch((error) => {
        // Nothing was built yet, or somebody has put something there.
        if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
      });
    }
    try {
      await link.call("poolUndefine", { pool: name });
    } catch (error) {
      if (!(error instanceof LibvirtError) || error.code !== VIR_ERR.NO_STORAGE_POOL) throw error;
    }
    await inventory.storage.refresh();
    return removed(name);
  },
};

/** Goes on deleting a pool with what is in it. What somebody uses by now stays, and the pool with it. */
const poolDoomed: StepRule<"pool-doomed"> = {
  finish: async ({ uuid, name, volumes, unbuild }, at) => {
    const { link, inventory } = at.vms;
    const pool = await link.call("poolRead", { pool: name });
    if (pool?.uuid !== uuid) return NOTHING;
    for (const volume of volumes) {
      const outcome = await deleteIfSameFile(at, volume);
      if (outcome.did === "left") return { ...outcome, stop: true };
    }
    await removePool(link, pool, unbuild);
    await inventory.storage.refresh();
    return removed(name);
  },
};

/** How the steps of pools are settled. */
export const poolSteps = {
  "pool-made": poolMade,
  "pool-doomed": poolDoomed,
} satisfies Partial<StepRules>;
