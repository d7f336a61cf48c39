/** The hosts that a VM can be created on, as the page that creates one offers them. */
import { log } from "../../agent/log.ts";
import { SharedTime } from "../../agent/within.ts";
import { mayOpen } from "../../lib/access/offers.ts";
import type { HostStatus } from "../../lib/contract/mod.ts";
import { adviseHosts, type HostAdvice, type HostLook } from "../../lib/host/advice.ts";
import { enabledHosts } from "../../lib/host/states.ts";
import { NEW_VM } from "../../components/shell/breadcrumbs.ts";
import { hrefOn } from "../../lib/text/host_path.ts";
import type { PageState } from "../../lib/page_state.ts";

/** Milliseconds that the hosts have together to tell their load, VMs and pools: what is later is left out. */
const LOOK_MS = 1000;

/** The hosts in sight that who looks may create VMs on. @throws {ContractError} */
export async function hostsForVms(
  { api, offers }: Pick<PageState, "api" | "offers">,
): Promise<HostStatus[]> {
  return takingVms(await api.listHosts(), offers);
}

const takingVms = (hosts: readonly HostStatus[], offers: PageState["offers"]) =>
  enabledHosts(hosts).filter(({ id }) => offers === null || mayOpen(offers, NEW_VM, id));

/** Address at which who looks creates a VM: on the page's host, or on one that lets them; null where none does. */
export function newVmAddress(
  hosts: readonly HostStatus[],
  { may, offers }: Pick<PageState, "may" | "offers">,
): string | null {
  if (may("create_vm")) return NEW_VM;
  const [other] = takingVms(hosts, offers);
  return other ? hrefOn(other.id, NEW_VM) : null;
}

/**
 * Figures of a host that arrive in time. Those that are refused or fail are missing: another host's advice does not
 * depend on them.
 */
async function lookAt(api: PageState["api"], host: string, time: SharedTime): Promise<HostLook> {
  const inTime = async <T>(what: string, asked: Promise<T>): Promise<T | undefined> => {
    try {
      return await time.of(`${what} of ${host}`, asked);
    } catch (error) {
      log.debug("a host does not tell what it has left", { host, what, error });
      return undefined;
    }
  };
  const [stats, vms, pools] = await Promise.all([
    inTime("load", api.getHostStats({ host })),
    inTime("VMs", api.getVms({ host })),
    inTime("pools", api.getStoragePools({ host })),
  ]);
  return { stats, vms, pools };
}

/** Free capacity of the hosts for a new VM, read now, the best host first. */
export async function hostAdvice(
  { api }: PageState,
  hosts: readonly HostStatus[],
): Promise<readonly HostAdvice[]> {
  const time = new SharedTime(LOOK_MS);
  const looks = new Map(
    await Promise.all(
      hosts.filter(({ status }) => status === "connected").map(async ({ id }) =>
        [id, await lookAt(api, id, time)] as const
      ),
    ),
  );
  return adviseHosts(hosts, ({ id }) => looks.get(id) ?? {});
}
