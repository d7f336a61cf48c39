/** VMs that are kept up to date on linked hosts, and take over there. */
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { replicationCommands } from "../../lib/contract/mod.ts";
import { delegateFor } from "../access/delegation.ts";
import { feature } from "../feature.ts";
import type { KeptPath } from "../storage/volume_keepers.ts";
import { replicationHandlers } from "./handlers.ts";
import { OutgoingReplications } from "./outgoing.ts";
import { REPLICATION_MIGRATIONS } from "./records.ts";
import { replicationSteps } from "./steps.ts";
import { lagsOf } from "./views.ts";

/** Milliseconds between looks for runs that are due. */
const LOOK_MS = 5000;

export const replicationFeature = feature<
  keyof typeof replicationCommands,
  never,
  keyof typeof replicationSteps
>({
  name: "replication",
  migrations: REPLICATION_MIGRATIONS,
  steps: replicationSteps,
  open: (app) => {
    const { clock, jobs, hosts, linked, coverage, replications: records, replicaClaims: claims, promotion } =
      app;
    const host = () => hosts.local;
    const outgoing = new OutgoingReplications({
      host,
      linked,
      records,
      clock,
      stateDir: app.settings.dataDir,
      principalOf: (owner, id) => delegateFor(app, owner, `replication:${id}`),
    });
    const kept = function* (): Generator<KeptPath> {
      for (const { folder, vmName, from, promoted, pool } of records.incoming.all()) {
        if (promoted === undefined) yield { path: folder, keeper: `replica of ${vmName} from ${from}`, pool };
      }
    };
    coverage.add(() =>
      records.outgoing.all().map(({ vmId, vmName, toHost }) => ({
        kind: "replication",
        name: `of ${vmName} to ${toHost}`,
        targets: { vmIds: [vmId], tags: [], groups: [] },
      }))
    );
    app.replicaLags.give(() => lagsOf(records, outgoing, clock.now()));
    return {
      host: (each) => {
        if (each.id !== LOCAL_HOST) return {};
        each.keepers.add(kept);
        each.switchedOverTo = (vmId) => records.lostOf(vmId)?.toHost;
        return {
          connected: () => promotion.reconcile(),
          /** Another VM has the id: it is not the one that was replicated. */
          replaced: (vmId) =>
            records.outgoing.all().filter((replication) => replication.vmId === vmId).map((replication) => {
              records.outgoing.remove(replication.id);
              return `the replication to ${replication.toHost}`;
            }),
        };
      },
      handlers: replicationHandlers({ records, outgoing, promotion, claims, linked, host, jobs, clock }),
      periodic: [{ name: "replication", every: () => LOOK_MS, run: () => Promise.resolve(outgoing.tick()) }],
      stop: () => outgoing.stop(),
    };
  },
});
