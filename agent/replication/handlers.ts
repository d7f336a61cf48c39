/** The commands of replication. */
import { ContractError, MOST_REPLICATIONS, type replicationCommands } from "../../lib/contract/mod.ts";
import { delegatorOf } from "../access/delegation.ts";
import type { Clock } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { dropQuietly } from "../vm/checkpoints.ts";
import { requireNetworksThere, withoutSame } from "./networks.ts";
import type { OutgoingReplications } from "./outgoing.ts";
import { notPossible, type Promotion } from "./promotion.ts";
import type { ReplicationRecords, StoredReplication } from "./records.ts";
import type { ReplicaClaims } from "./replica_claims.ts";
import { type ReplicaCommand, replicaHandlers } from "./replica_handlers.ts";
import { replicationView, USUAL_SECONDS, usualLag } from "./views.ts";
import { message } from "../../lib/i18n/message.ts";

/** Services for the commands on replication: its records, outgoing replications, promotion, claims, hosts, and jobs. */
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

/** A handler for each of them. */
export const replicationHandlers = (
  context: ReplicationContext,
): Pick<Handlers, keyof typeof replicationCommands> => ({
  ...outgoingHandlers(context),
  ...replicaHandlers(context),
});

/** Of VMs that are replicated to another host. */
function outgoingHandlers(
  { records, outgoing, linked, host, jobs, clock }: ReplicationContext,
): Pick<Handlers, Exclude<keyof typeof replicationCommands, ReplicaCommand>> {
  const shown = (stored: StoredReplication) => replicationView(stored, outgoing, clock.now());
  return {
    list_replications: () => Promise.resolve(records.outgoing.require().all().map(shown)),
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
        id: crypto.randomUUID(),
        vmId,
        vmName: vm.name,
        toHost,
        everySeconds,
        maxMibPerSecond,
        maxLagSeconds: maxLagSeconds ?? usualLag(everySeconds),
        isPaused: false,
        pool,
        takeOld: input.takeOld ?? false,
        owner: delegatorOf(principal),
        createdAt: clock.now(),
        finished: null,
        images: {},
        lastRun: null,
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
        command: "replicate_now",
        title: message`Replicate ${vmName} to ${toHost}`,
        actor,
        vmId,
        subject: vmName,
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
        command: "switch_over",
        title: message`Switch ${vmName} over to ${toHost}`,
        actor,
        vmId,
        subject: vmName,
        ifInterrupted: `Whether it was started on ${toHost} is found out as soon as that host answers.`,
      }, async (job) => {
        output = await outgoing.switchOver(replicationId, wish, principal, job);
      });
      return output!;
    },
  };
}

/** Deletes QEMU's checkpoints of a replication that ends. */
async function dropCheckpointsOf(host: LibvirtHost, { id, vmId }: StoredReplication): Promise<void> {
  const vm = host.inventory.vm(vmId);
  if (vm === undefined) return;
  await dropQuietly(host, vm, ({ backupId }) => backupId === id);
}
