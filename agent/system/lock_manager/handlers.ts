/** The commands about libvirt's lock manager and the cluster around a host. */
import { ContractError, type LockManager, type lockManagerCommands } from "../../../lib/contract/mod.ts";
import type { Api } from "../../../lib/contract/api.ts";
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";
import { lockManager as texts } from "../../../lib/i18n/en/lock_manager.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { familyOf } from "../../../lib/system/doctor/distribution.ts";
import {
  isUnchanged,
  type LockChange,
  lockRefusal,
  type LockState,
} from "../../../lib/system/lock_manager/refusal.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { type Principal, settlingPrincipal } from "../../access.ts";
import type { Clock } from "../../clock.ts";
import type { Handlers } from "../../dispatch.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { LinkedHosts } from "../../hosts/linked/linked_hosts.ts";
import { log } from "../../log.ts";
import { textAt } from "../../machine/files.ts";
import { within } from "../../within.ts";
import { changeLockManager, changingAlone } from "./change.ts";
import { hostCluster } from "./cluster.ts";
import { restartObstacle } from "./daemons.ts";
import { type AnsweringHost, type LockedVm, type LockSources, lookAtLocks, seenMarks } from "./look.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

const { t } = textsOf(texts);

/** Milliseconds that linked hosts are waited for. */
const OTHERS_MS = 8000;

/** Services for the commands on the lock manager: the clock, linked hosts, and the API as a user. */
export interface LockServices {
  readonly clock: Clock;
  readonly linked: Pick<LinkedHosts, "all">;
  apiFor(principal: Principal): Api;
}

/**
 * Asks linked hosts, as who asks here; one that does not answer in time has no answer.
 *
 * @param isChange another KVM Manager that changes it here is asked for, too: what it may not do is decided by all hosts
 */
export function askLinked(
  app: Pick<LockServices, "linked" | "apiFor">,
  principal: Principal,
  isChange = false,
): LockSources["others"] {
  const hosts = app.linked.all().map(({ id }) => id);
  // What another KVM Manager asks for is on this host: nothing goes in circles
  if (hosts.length === 0 || principal.via === "link" && !isChange) return undefined;
  const asker = principal.via === "link" ? settlingPrincipal(principal.name) : principal;
  return async (marks) => {
    const answers = new Map<string, LockManager>(), api = app.apiFor(asker);
    const asked = hosts.map(async (host) => {
      try {
        answers.set(host, await api.getLockManager({ host, marks: [...marks] }));
      } catch (error) {
        if (!(error instanceof ContractError)) throw error;
        log.debug("a linked host does not tell its lock manager", { host, error });
      }
    });
    await within(OTHERS_MS, Promise.all(asked));
    return hosts.map((host): AnsweringHost => ({ host, answer: answers.get(host) ?? null }));
  };
}

type LockHost = Pick<LibvirtHost, "id" | "machine" | "link" | "inventory" | "jobs">;

/** The VMs of a host, and what its pools are; nothing while libvirt does not answer. */
export async function sourcesOn(
  { link, inventory }: Pick<LockHost, "link" | "inventory">,
): Promise<LockSources> {
  const vms = inventory.vms().map(({ name, state, disks }): LockedVm => ({
    name,
    isRunning: isLive({ state }),
    disks,
  }));
  return { vms, pools: link.status.connected ? await link.call("poolScan") : [] };
}

/** @throws {ContractError} NotOnThisHost */
function requireSystem({ id, machine }: Pick<LockHost, "id" | "machine">): void {
  if (machine?.isSystem === true) return;
  const reason: Sentence = id === LOCAL_HOST
    ? "its libvirt is not the system's (qemu:///system)"
    : t("lock_manager.elsewhere");
  throw new ContractError("NotOnThisHost", { what: "The lock manager", reason });
}

/** Why this process cannot change it; null where it can. */
async function obstacle(): Promise<string | null> {
  return Deno.uid() === 0 ? await restartObstacle() : t("lock_manager.not_root");
}

/** Title of the task of a change. */
function jobTitle({ driver }: LockChange, before: Pick<LockState, "driver">): Sentence {
  if (driver === "none") {
    return t(before.driver === "sanlock" ? "lock_manager.turn_off_sanlock" : "lock_manager.job_off");
  }
  return t(driver === "sanlock" ? "lock_manager.turn_on_sanlock" : "lock_manager.job_on");
}

const refused = (reason: Sentence) => new ContractError("LockManagerRefused", { reason });

/** A handler for each of them, on one host. */
export function lockManagerHandlers(
  app: LockServices,
  host: LockHost,
): Pick<Handlers, keyof typeof lockManagerCommands> {
  let isBusy = false;
  const change = async (wanted: LockChange, principal: Principal) => {
    const cannot = await obstacle();
    if (cannot !== null) throw refused(cannot);
    const [other] = host.jobs.list(1, true, (job) => (job.host ?? LOCAL_HOST) === host.id);
    if (other !== undefined) {
      throw refused(t("lock_manager.tasks"));
    }
    const state = await lookAtLocks({ ...await sourcesOn(host), others: askLinked(app, principal, true) });
    if (isUnchanged(wanted, state)) return { driver: state.driver, changed: false, backups: [] };
    const family = familyOf(await textAt("/etc/os-release") ?? "");
    const reason = lockRefusal(wanted, state, family);
    if (reason !== null) throw refused(reason);
    const title = jobTitle(wanted, state);
    const spec = {
      command: "set_lock_manager",
      title,
      actor: principal.name,
      ifInterrupted: t("lock_manager.interrupted"),
    } as const;
    return await host.jobs.run(spec, async (job) => {
      const backups = await changeLockManager(
        {
          call: host.link.call.bind(host.link),
          now: () => app.clock.now(),
          say: (line) => job.log(line),
          hide: (uuid) => host.inventory.hide(uuid),
          signal: job.signal,
        },
        wanted,
        state,
      );
      return { driver: wanted.driver, changed: true, backups };
    });
  };
  return {
    get_lock_manager: async ({ marks = [] }, { principal }) => {
      requireSystem(host);
      const sources = await sourcesOn(host);
      const facts = await lookAtLocks({
        ...sources,
        others: marks.length === 0 ? askLinked(app, principal) : undefined,
      });
      return { ...facts, sees: await seenMarks(marks, sources.pools), obstacle: await obstacle() };
    },
    set_lock_manager: async (input, { principal }) => {
      const { driver, lockspace, hostNumber, restart = false, whileRunning = false } = input;
      requireSystem(host);
      if (isBusy) throw refused(t("lock_manager.busy"));
      isBusy = true;
      try {
        const folder = lockspace === "" ? null : lockspace;
        return await changingAlone(
          () => change({ driver, lockspace: folder, hostNumber, restart, whileRunning }, principal),
        );
      } finally {
        isBusy = false;
      }
    },
    get_host_cluster: async () => {
      requireSystem(host);
      return await hostCluster();
    },
  };
}
