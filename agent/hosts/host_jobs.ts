/** Periodic work of a host, with its intervals: shorter while pages are open. */
import type { PeriodicJob } from "../periodic.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import type { Addresses } from "./inventory/addresses.ts";
import type { LostVms } from "./lost_vms.ts";

/** Milliseconds between looks, with listeners and without. */
const PACE = {
  loads: { watched: 2000, idle: 45_000 },
  answers: 3000,
  lost: 3000,
  mounts: 5000,
  addresses: { watched: 5000, idle: 30_000, wanting: 3000 },
  reconcile: { watched: 10_000, idle: 30_000 },
  /** For images that are missing: who puts one back looks whether the VM has it again. */
  missing: { watched: 2000, idle: 10_000 },
} as const;

/** Parts that only the host itself has. */
export interface HostJobParts {
  readonly addresses: Addresses;
  readonly lost: LostVms;
  reconcile(): Promise<void>;
}

type LookedAfter = Pick<
  LibvirtHost,
  "events" | "inventory" | "observeFormats" | "sampler" | "sizes" | "storageMounts"
>;

/** All of it but the work of features. */
export function hostJobs(host: LookedAfter, { addresses, lost, reconcile }: HostJobParts): PeriodicJob[] {
  const watched = () => host.events.listeners > 0;
  const pace = ({ watched: some, idle }: { watched: number; idle: number }) => () => watched() ? some : idle;
  return [
    {
      name: "loads",
      // Without listeners, the rounds of the metrics tell them as well
      every: () => watched() || host.sampler.age >= PACE.loads.idle ? PACE.loads.watched : Infinity,
      run: () => host.sampler.tick(),
    },
    // A tick tells it as well; API clients that ask now and then cause none.
    { name: "answers", every: () => watched() ? Infinity : PACE.answers, run: () => host.sampler.probe() },
    {
      name: "addresses",
      every: () => watched() && addresses.wanting ? PACE.addresses.wanting : pace(PACE.addresses)(),
      run: () => addresses.update(),
    },
    {
      name: "disk sizes",
      every: () => pace(host.sizes.anyMissing ? PACE.missing : PACE.reconcile)(),
      run: () => host.sizes.update(),
    },
    { name: "image formats", every: pace(PACE.reconcile), run: () => host.observeFormats() },
    { name: "storage", every: pace(PACE.reconcile), run: () => host.inventory.storage.reconcile() },
    {
      name: "mounts",
      every: () => host.storageMounts === undefined ? Infinity : PACE.mounts,
      run: () => host.storageMounts?.look(),
    },
    { name: "lost VMs", every: () => lost.any ? PACE.lost : Infinity, run: () => lost.look() },
    { name: "reconcile", every: pace(PACE.reconcile), run: () => reconcile() },
  ];
}
