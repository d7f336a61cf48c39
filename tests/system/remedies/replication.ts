/** Advice in reasons of replications. */
import { OUTSIDE, type RemedyTrial, SAYS } from "./trial.ts";

const BY = "tests/system/replication_test.ts";
const SWITCH: RemedyTrial = {
  by: BY,
  words: '"ReplicationNotPossible"',
  then: 'call(from.server, "switch_over"',
};
const SAME_ID: RemedyTrial = { not: "a VM is deleted or moved by commands that have tests of their own" };

/** Words of a text → how it is tried. */
export const OF_REPLICATION: Readonly<Record<string, RemedyTrial>> = {
  "has a KVM Manager that is too old. Update it": OUTSIDE,
  "its own host replicates it: open that host's pages": {
    not: "the pages of the other host are those of any host, which host_pages_test opens",
  },
  "Switch over from there: nothing is lost then": SWITCH,
  "switch over from there, where nothing is lost": SWITCH,
  "some disks are new, of another size, or keep no notes of changes": SAYS,
  "has a VM with its id (…). Move or delete one of them first": SAME_ID,
  "Create the replication with takeOld": { by: BY, words: '"VmNotOwner"', then: "takeOld: true" },
  "has a VM with its id, which is not a replica. Delete one": SAME_ID,
  "is not known from here. Make sure that it does not": {
    not:
      "only a person can switch a host off; what a killed host's replica becomes is in replication_kills_test",
  },
  "Shut it down there; the next increment continues then": {
    not: "the old VM is shut down as any VM, and increments go on by themselves",
  },
  "and runs here, too. Shut one of them down now": {
    not: "which of the two is shut down only a person can tell; both are shut down as any VM",
  },
};
