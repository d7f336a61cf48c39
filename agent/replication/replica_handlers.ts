/** The commands on replicas: what other hosts replicate to this one. */
import { ContractError, type Output } from "../../lib/contract/mod.ts";
import { message } from "../../lib/i18n/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatSpan } from "../../lib/text/time.ts";
import type { Clock } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import { contractError } from "../libvirt/failure.ts";
import { isSystemError } from "../machine/files.ts";
import { findingText } from "../vm/migration/findings.ts";
import type { ReplicationContext } from "./handlers.ts";
import { notPossible } from "./promotion.ts";
import type { StoredReplica } from "./records.ts";
import { ReplicaDamaged } from "./replica_folder.ts";
import { removeReplicaFolder } from "./replica_place.ts";
import { replicaView } from "./views.ts";

export type ReplicaCommand =
  | "list_replicas"
  | "get_switch_over_plan"
  | "promote_replica"
  | "test_replica"
  | "end_replica_test"
  | "delete_replica";

/** Findings that another choice of networks does away with. */
const CHOSEN: ReadonlySet<string> = new Set(["no-network", "network-off"]);

/** Works with a replica's files; what is wrong with them is told. @throws {ContractError} */
async function withFiles<T>(
  command: "promote_replica" | "test_replica" | "get_switch_over_plan",
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isSystemError(error) || error instanceof ReplicaDamaged) {
      throw new ContractError("ReplicationFailed", { error: error.message }, { cause: error });
    }
    throw contractError(error, "ReplicationFailed", command);
  }
}

/** Seconds of the VM's writes that the replica lacks; null where no increment of it is whole. */
const lostSeconds = ({ finished }: StoredReplica, clock: Clock) =>
  finished === null ? null : Math.max(0, Math.round((clock.now() - finished.takenAt) / 1000));

/** Whether the VM is seen running on a host that is linked here, too. */
const runsThere = ({ vmId }: StoredReplica, linked: ReplicationContext["linked"]) => {
  const there = linked.withVm(vmId), state = there?.vm(vmId)?.state;
  // What was seen before it went away says nothing of now
  const isSeen = there?.status.connected === true && (state === "running" || state === "paused");
  return isSeen ? there!.label : undefined;
};

/** Whether its host answers, and has the VM: that it is off there is known then. */
const isSeenThere = ({ vmId }: StoredReplica, linked: ReplicationContext["linked"]) =>
  linked.withVm(vmId)?.status.connected === true;

/** Findings against switching over to a replica here. @throws {ContractError} */
async function switchOverPlan(
  { promotion, linked, host, clock }: ReplicationContext,
  replica: StoredReplica,
): Promise<Output<"get_switch_over_plan">> {
  const seconds = lostSeconds(replica, clock);
  const findings: { level: "problem" | "warning"; text: string; about?: "network" }[] = [];
  const problem = (text: string) => findings.push({ level: "problem", text });
  if (replica.promoted !== undefined) problem("A VM was made of it already.");
  else {
    const fault = promotion.fault(replica), there = runsThere(replica, linked);
    if (fault !== undefined) problem(`It cannot be made a VM: ${fault}.`);
    if (replica.finished === null) problem("No increment of it is whole yet.");
    if (there !== undefined) {
      problem(`The VM runs on ${there}. Switch over from there: nothing is lost then.`);
    } else if (!isSeenThere(replica, linked)) {
      const from = oneLine(replica.from, 60);
      findings.push({
        level: "warning",
        text:
          `Whether the VM still runs on ${from} is not known from here. Make sure that it does not: switch ` +
          "that host off, or unplug its network.",
      });
    }
  }
  if (seconds !== null) {
    findings.push({
      level: "warning",
      text: `What the VM wrote in the last ${formatSpan(seconds * 1000)} is lost.`,
    });
  }
  if (replica.finished?.consistency === "crash") {
    findings.push({ level: "warning", text: "Its disks are as after a power failure." });
  }
  const networks = await withFiles("get_switch_over_plan", () => promotion.networksOf(replica));
  for (const finding of await withFiles("get_switch_over_plan", () => promotion.check(replica))) {
    const text = findingText(finding, host().label), isChosen = CHOSEN.has(finding.check);
    findings.push({ level: "problem", text, ...(isChosen && { about: "network" as const }) });
  }
  return {
    networks,
    possible: !findings.some(({ level }) => level === "problem"),
    takenAt: replica.finished?.takenAt ?? null,
    lostSeconds: seconds,
    findings,
  };
}

/** A handler for each of them. */
export function replicaHandlers(context: ReplicationContext): Pick<Handlers, ReplicaCommand> {
  const { records, promotion, claims, linked, jobs, clock } = context;
  const shownReplica = (stored: StoredReplica) => replicaView(stored, clock.now());
  const findReplica = (replicaId: string): StoredReplica => {
    const found = records.incoming.require().get(replicaId);
    if (found === undefined) throw new ContractError("ReplicaNotFound", { replicaId });
    return found;
  };
  return {
    list_replicas: () => Promise.resolve(records.incoming.require().all().map(shownReplica)),
    get_switch_over_plan: async ({ replicaId }) => await switchOverPlan(context, findReplica(replicaId)),
    promote_replica: async ({ replicaId, start = true, force = false, networks = [] }, { principal }) => {
      const replica = findReplica(replicaId), { vmId, vmName } = replica, there = runsThere(replica, linked);
      if (there !== undefined && !force) {
        throw notPossible(message`it runs on ${there}: switch over from there, where nothing is lost`);
      }
      const lost = lostSeconds(replica, clock) ?? 0, { name: actor } = principal;
      let output;
      await jobs.run({
        command: "promote_replica",
        title: message`Make ${vmName} a VM of its replica`,
        actor,
        vmId,
        subject: vmName,
        ifInterrupted: "The replica is one again, or the VM is there.",
      }, async (job) => {
        output = await withFiles(
          "promote_replica",
          () => promotion.promote(findReplica(replicaId), { principal, start, networks, by: actor }),
        );
        for (const warning of output.warnings) job.log(warning);
      });
      return { ...output!, lostSeconds: lost };
    },
    test_replica: async ({ replicaId }, { principal: { name: actor } }) => {
      const { vmName: subject } = findReplica(replicaId);
      let tested;
      await jobs.run({
        command: "test_replica",
        title: message`Test the replica of ${subject}`,
        actor,
        subject,
        ifInterrupted: "The VM of the test is removed.",
      }, async (job) => {
        tested = await withFiles(
          "test_replica",
          () => promotion.test(findReplica(replicaId), actor, job.signal),
        );
      });
      return shownReplica(tested!);
    },
    end_replica_test: async ({ replicaId }) => {
      const replica = findReplica(replicaId);
      return shownReplica(await promotion.endTest(replica) ?? replica);
    },
    delete_replica: async ({ replicaId }) => {
      const replica = findReplica(replicaId);
      using _claim = await claims.taken(replica, "being deleted");
      await promotion.endTest(replica);
      if (replica.promoted === undefined) {
        await removeReplicaFolder(replica.folder).catch((error) => {
          if (!isSystemError(error)) throw error;
          throw new ContractError("ReplicationFailed", { error: error.message }, { cause: error });
        });
      }
      records.incoming.remove(replicaId);
      return null;
    },
  };
}
