/** The commands of replication. */
import { ContractError, MOST_REPLICATIONS, type replicationCommands } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatSpan } from "../../lib/text/time.ts";
import { delegatorOf } from "../access/delegation.ts";
import type { Clock } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import { isSystemError } from "../machine/files.ts";
import { dropQuietly } from "../vm/checkpoints.ts";
import { findingText } from "../vm/migration/findings.ts";
import { requireNetworksThere, withoutSame } from "./networks.ts";
import type { OutgoingReplications } from "./outgoing.ts";
import type { Promotion } from "./promotion.ts";
import type { ReplicationRecords, StoredReplica, StoredReplication } from "./records.ts";
import type { ReplicaClaims } from "./replica_claims.ts";
import { ReplicaDamaged } from "./replica_folder.ts";
import { removeReplicaFolder } from "./replica_place.ts";
import { replicationView, replicaView, USUAL_SECONDS, usualLag } from "./views.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

/** What they need of the application. */
export interface ReplicationContext {
  readonly records: ReplicationRecords;
  readonly outgoing: OutgoingReplications;
  readonly promotion: Promotion;
  readonly claims: ReplicaClaims;
  readonly linked: Pick<LinkedHosts, "served" | "withVm">;
  readonly host: () => LibvirtHost;
  readonly jobs: Jobs;
  readonly clock: Clock;
}

const notPossible = (reason: Sentence) => new ContractError("ReplicationNotPossible", { reason });

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

/** A handler for each of them. */
export function replicationHandlers(
  context: ReplicationContext,
): Pick<Handlers, keyof typeof replicationCommands> {
  const { records, outgoing, promotion, claims, linked, host, jobs, clock } = context;
  const shown = (stored: StoredReplication) => replicationView(stored, outgoing, clock.now());
  const shownReplica = (stored: StoredReplica) => replicaView(stored, clock.now());
  const findReplica = (replicaId: string): StoredReplica => {
    const found = records.incoming.require().get(replicaId);
    if (found === undefined) throw new ContractError("ReplicaNotFound", { replicaId });
    return found;
  };
  const lostSeconds = ({ finished }: StoredReplica) =>
    finished === null ? null : Math.max(0, Math.round((clock.now() - finished.takenAt) / 1000));
  /** Whether the VM is seen running on a host that is linked here, too. */
  const runsThere = ({ vmId }: StoredReplica) => {
    const there = linked.withVm(vmId), state = there?.vm(vmId)?.state;
    // What was seen before it went away says nothing of now
    const isSeen = there?.status.connected === true && (state === "running" || state === "paused");
    return isSeen ? there!.label : undefined;
  };
  /** Whether its host answers, and has the VM: that it is off there is known then. */
  const isSeenThere = ({ vmId }: StoredReplica) => linked.withVm(vmId)?.status.connected === true;
  return {
    list_replications: () => Promise.resolve(records.outgoing.require().all().map(shown)),
    list_replicas: () => Promise.resolve(records.incoming.require().all().map(shownReplica)),
    create_replication: async (input, { principal }) => {
      const { vmId, toHost, everySeconds = USUAL_SECONDS, maxLagSeconds, maxMibPerSecond = 0, pool } = input;
      if (principal.via === "link") throw notPossible("its own host replicates it: open that host's pages");
      const vm = host().requireVm(vmId);
      if (!vm.persistent) throw new ContractError("VmNotPersistent");
      if (host().machine?.isSystem !== true) {
        throw notPossible("only VMs of the system's libvirt (qemu:///system) are replicated");
      }
      outgoing.requireOwned({ id: "", vmId });
      const there = linked.served(toHost);
      if (there === undefined) throw new ContractError("HostNotFound", { host: toHost });
      const networks = withoutSame(input.networks);
      await requireNetworksThere(there, networks, principal);
      const all = records.outgoing.require().all();
      const same = all.find((each) => each.vmId === vmId && each.toHost === toHost);
      if (same !== undefined) throw new ContractError("ReplicationExists", { host: toHost });
      if (all.length >= MOST_REPLICATIONS) {
        throw new ContractError("TooManyReplications", { limit: MOST_REPLICATIONS });
      }
      const made: StoredReplication = {
        networks,
        ...{ id: crypto.randomUUID(), vmId, vmName: vm.name, toHost, everySeconds, maxMibPerSecond },
        ...{ maxLagSeconds: maxLagSeconds ?? usualLag(everySeconds), isPaused: false, pool },
        ...{ takeOld: input.takeOld ?? false, owner: delegatorOf(principal), createdAt: clock.now() },
        ...{ finished: null, images: {}, lastRun: null },
      };
      records.outgoing.put(made);
      outgoing.tick();
      return shown(made);
    },
    update_replication: async ({ replicationId, paused, ...change }, { principal }) => {
      const known = outgoing.find(replicationId), there = linked.served(known.toHost);
      const networks = withoutSame(change.networks);
      if (there !== undefined) await requireNetworksThere(there, networks, principal);
      const given = Object.fromEntries(
        Object.entries({ ...change, networks }).filter(([, value]) => value !== undefined),
      );
      const changed = records.outgoing.change(replicationId, {
        ...given,
        ...(paused !== undefined && { isPaused: paused }),
        owner: delegatorOf(principal),
      });
      if (changed === undefined) throw new ContractError("ReplicationNotFound", { replicationId });
      // Its definition there is of before
      if (networks !== undefined && !changed.isPaused && changed.lost === undefined) {
        outgoing.soon(replicationId);
      }
      return shown(changed);
    },
    replicate_now: async ({ replicationId }, { principal: { name: actor } }) => {
      const { vmId, vmName, toHost } = outgoing.find(replicationId);
      let run;
      await jobs.run({
        ...{
          command: "replicate_now",
          title: message`Replicate ${vmName} to ${toHost}`,
          actor,
          vmId,
          subject: vmName,
        },
        ifInterrupted: "The replica shows what it did before. The next increment follows by itself.",
      }, async (job) => {
        run = await outgoing.run(replicationId, job);
      });
      return run!;
    },
    delete_replication: async ({ replicationId, keepReplica = false, reclaim = false }) => {
      const replication = outgoing.find(replicationId);
      if (replication.lost !== undefined && !reclaim) {
        throw new ContractError("ReplicaPromoted", { host: replication.toHost });
      }
      await outgoing.end(replicationId);
      // There is none to be deleted where a VM was made of it: whatever that host says, or does not
      const isGone = replication.lost !== undefined && !replication.lost.isUndecided;
      if (!keepReplica && !isGone) await outgoing.forget(replication);
      records.outgoing.remove(replicationId);
      await dropCheckpointsOf(host(), replication);
      return null;
    },
    switch_over: async ({ replicationId, ...wish }, { principal }) => {
      const { vmId, vmName, toHost } = outgoing.find(replicationId), { name: actor } = principal;
      let output;
      await jobs.run({
        ...{
          command: "switch_over",
          title: message`Switch ${vmName} over to ${toHost}`,
          actor,
          vmId,
          subject: vmName,
        },
        ifInterrupted: `Whether it was started on ${toHost} is found out as soon as that host answers.`,
      }, async (job) => {
        output = await outgoing.switchOver(replicationId, wish, principal, job);
      });
      return output!;
    },
    get_switch_over_plan: async ({ replicaId }) => {
      const replica = findReplica(replicaId), seconds = lostSeconds(replica);
      const findings: { level: "problem" | "warning"; text: string; about?: "network" }[] = [];
      const problem = (text: string) => findings.push({ level: "problem", text });
      if (replica.promoted !== undefined) problem("A VM was made of it already.");
      else {
        const fault = promotion.fault(replica), there = runsThere(replica);
        if (fault !== undefined) problem(`It cannot be made a VM: ${fault}.`);
        if (replica.finished === null) problem("No increment of it is whole yet.");
        if (there !== undefined) {
          problem(`The VM runs on ${there}. Switch over from there: nothing is lost then.`);
        } else if (!isSeenThere(replica)) {
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
    },
    promote_replica: async ({ replicaId, start = true, force = false, networks = [] }, { principal }) => {
      const replica = findReplica(replicaId), { vmId, vmName } = replica, there = runsThere(replica);
      if (there !== undefined && !force) {
        throw notPossible(message`it runs on ${there}: switch over from there, where nothing is lost`);
      }
      const lost = lostSeconds(replica) ?? 0, { name: actor } = principal;
      let output;
      await jobs.run({
        ...{
          command: "promote_replica",
          title: message`Make ${vmName} a VM of its replica`,
          actor,
          vmId,
          subject: vmName,
        },
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
        ...{ command: "test_replica", title: message`Test the replica of ${subject}`, actor, subject },
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

/** What QEMU notes for a replication that ends is not needed. */
async function dropCheckpointsOf(host: LibvirtHost, { id, vmId }: StoredReplication): Promise<void> {
  const vm = host.inventory.vm(vmId);
  if (vm === undefined) return;
  await dropQuietly(host, vm, ({ backupId }) => backupId === id);
}
