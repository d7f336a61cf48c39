/** Switch-over as a step: a replica of which no VM was made in the end is a replica again. */
import { isTaken } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import { NOTHING } from "../operations/outcome.ts";
import type { StepRule, StepRules } from "../operations/settlement.ts";

const replicaPromoted: StepRule<"replica-promoted"> = {
  undo: async ({ name, moves }) => {
    let count = 0;
    for (const [from, to] of moves) {
      if (await isTaken(plainPath(from)) || !await isTaken(plainPath(to))) continue;
      await hostFiles.rename(plainPath(to), plainPath(from));
      count++;
    }
    return count === 0 ? NOTHING : { did: "done", note: `${name} is a replica again.` };
  },
};

/** How the steps of replication are settled. */
export const replicationSteps = { "replica-promoted": replicaPromoted } satisfies Partial<StepRules>;
