/** Moves into the bin and out of it as steps. */
import { ContractError } from "../../../lib/contract/errors.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { splitPath } from "../../../lib/bin/place.ts";
import { left, NOTHING, Refused, type StepOutcome, t } from "../../operations/outcome.ts";
import type { Settlement, StepRule, StepRules } from "../../operations/settlement.ts";
import type { FileBinned, FileUnbinned } from "../../operations/bin_steps.ts";
import { userOf } from "../volume_steps.ts";
import { BinFolderError, moveIn } from "./folder.ts";
import { bringOut, forgetEntry, forgetUnlessKept, refreshPools } from "./keep.ts";
import { purgeNow, refuseUsedEntry } from "./purge.ts";

const poolsOf = ({ pool }: { readonly pool: string | null }) => pool === null ? [] : [pool];

/** Moves a file in, unless a VM has it by now, or another file took its place. */
async function into(step: FileBinned | FileUnbinned, at: Settlement): Promise<StepOutcome> {
  const { path, pool } = step;
  const user = await userOf(at, { pool: pool ?? "", name: splitPath(path).name, path });
  if (user !== undefined) {
    return left(path, t("operations.is_used", { name: user }));
  }
  let isMoved: boolean;
  try {
    isMoved = await moveIn(step);
  } catch (error) {
    if (error instanceof BinFolderError) return left(path, error.message);
    throw error;
  }
  // Cut short after the move, libvirt may not have seen it.
  await refreshPools(at.vms, poolsOf(step));
  if (!isMoved) return NOTHING;
  return { did: "done", note: t("operations.binned", { what: path }) };
}

/** Moves a file out, unless something else is at its path. */
async function outOf(step: FileBinned | FileUnbinned, { vms }: Settlement): Promise<StepOutcome> {
  let isMoved: boolean;
  try {
    isMoved = await bringOut(vms, step);
  } catch (error) {
    if (error instanceof BinFolderError || error instanceof Deno.errors.AlreadyExists) {
      throw new Refused(`${step.path}: ${messageOf(error)}`, { cause: error });
    }
    throw error;
  }
  await refreshPools(vms, poolsOf(step));
  if (!isMoved) return NOTHING;
  return { did: "done", note: t("operations.restored", { what: step.path }) };
}

const fileBinned: StepRule<"file-binned"> = {
  finish: async (step, at) => {
    const outcome = await into(step, at), entry = at.vms.bin.get(step.entry);
    if (outcome.did === "left" && entry !== undefined && entry.kind !== "vm") {
      await forgetUnlessKept(at.vms, entry);
    }
    return outcome;
  },
  undo: async (step, at) => {
    try {
      return await outOf(step, at);
    } catch (error) {
      // It never went in, or its place was taken: there is nothing to be put back.
      if (error instanceof Refused) return NOTHING;
      throw error;
    }
  },
};

const fileUnbinned: StepRule<"file-unbinned"> = { finish: outOf, undo: into };

const entryBinned: StepRule<"entry-binned"> = {
  finish: ({ entry: id }, { vms: { bin } }) => {
    const entry = bin.get(id);
    if (entry === undefined) return Promise.resolve({ did: "nothing", stop: true });
    bin.put({ ...entry, state: "kept" });
    return Promise.resolve({ did: "done" });
  },
  undo: async ({ entry: id }, { vms }) => {
    const entry = vms.bin.get(id);
    if (entry === undefined) return NOTHING;
    await forgetUnlessKept(vms, entry);
    return { did: "done" };
  },
};

const entryUnbinned: StepRule<"entry-unbinned"> = {
  finish: async ({ entry: id }, { vms }) => {
    const entry = vms.bin.get(id);
    if (entry === undefined) return NOTHING;
    await forgetEntry(vms, entry);
    return { did: "done" };
  },
  undo: ({ entry: id }, { vms: { bin } }) => {
    const entry = bin.get(id);
    if (entry !== undefined) bin.put({ ...entry, state: "kept" });
    return Promise.resolve(NOTHING);
  },
};

const binDoomed: StepRule<"bin-doomed"> = {
  finish: async ({ entry: id }, { vms }) => {
    const entry = vms.bin.get(id);
    if (entry === undefined) return NOTHING;
    try {
      await refuseUsedEntry(vms, entry);
    } catch (error) {
      if (!(error instanceof ContractError) || error.code !== "BinEntryInUse") throw error;
      return left(entry.name, error.message);
    }
    await purgeNow(vms, entry);
    return { did: "done" };
  },
};

/** How moves into the bin and out of it are settled. */
export const binSteps = {
  "entry-binned": entryBinned,
  "file-binned": fileBinned,
  "file-unbinned": fileUnbinned,
  "entry-unbinned": entryUnbinned,
  "bin-doomed": binDoomed,
} satisfies Partial<StepRules>;
