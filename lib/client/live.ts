/** State of the host on a page, kept current by its event stream. One a page, in the browser alone. */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type {
  Activity,
  AnyEvent,
  ConnectionStatus,
  EventData,
  EventName,
  HostStats,
  HostStatus,
  VM,
} from "../contract/mod.ts";
import { LOCAL_HOST } from "../contract/local_host.ts";
import { type VmCounts, vmCountsOf } from "../host/vm_counts.ts";

import { api } from "./api.ts";
import { EventStream, type StreamState } from "./event_stream.ts";
import { pageJobs } from "./jobs.ts";
import { pageHost } from "./page_host.ts";
import { pending } from "./pending.ts";
import { reportFailure } from "./toasts.ts";
import { VmStore } from "./vm_store.ts";

/** Longest list of activity kept; the page's own lists are shorter. */
const ACTIVITY_KEPT = 200;
/** Browsers allow six connections to a host over HTTP/1.1: tabs in the background give theirs back after a while. */
const BACKGROUND_MS = 30_000;
/** Changes that come together (a batch of starts) are counted once. */
const RECOUNT_MS = 400;

const vms = new VmStore();
/** Live state of one host. */
interface LiveHost {
  /** Its newest load; null until the first arrives. */
  readonly stats: Signal<HostStats | null>;
  /** The connection to its libvirt; null until it is known. */
  readonly connection: Signal<ConnectionStatus | null>;
}

const hosts = new Map<string, LiveHost>();

/** The signals of a host. */
function hostOf(id: string = LOCAL_HOST): LiveHost {
  const known = hosts.get(id) ?? { stats: signal(null), connection: signal(null) };
  hosts.set(id, known);
  return known;
}

/** The hosts as they were read last; null until they were read again. */
const hostList = signal<readonly HostStatus[] | null>(null);
const { stats: hostStats, connection } = hostOf(pageHost());
const stream = signal<StreamState>("connecting");
const activity = signal<readonly Activity[]>([]);
const counts = signal<VmCounts | null>(null);
const pools = signal<{ readonly name: string | undefined } | null>(null);
const networkChanges = signal(0);
/** Counts VMs that come, go, or get into another state. */
const vmChanges = signal(0);
const alertChanges = signal(0);
/** Counts changes of what does not respond. */
const hangChanges = signal(0);
/** Counts changes of the bin. */
const binChanges = signal(0);

/** Whether the page is about a VM: one of another host's pages shows that host's alone. */
const isShown = ({ host }: VM) => pageHost() === LOCAL_HOST || host === pageHost();

type Handlers = { readonly [N in EventName]: (data: EventData<N>) => void };

/** Event → what it changes. Its keys are the names the stream listens to. */
const HANDLERS: Handlers = {
  "vm-state-changed": ({ vmId, state }) => {
    vms.setState(vmId, state);
    pending.reached(vmId, state);
    recount();
  },
  "vm-created": ({ vm }) => {
    if (!isShown(vm)) return;
    vms.put(vm);
    recount();
  },
  "vm-updated": ({ vm }) => {
    if (!isShown(vm)) return;
    // A page that holds one VM needs no others; a list that is not complete will fetch them.
    if (vms.complete.peek() || vms.peek(vm.id) !== undefined) vms.put(vm);
    pending.reached(vm.id, vm.state);
  },
  "vm-deleted": ({ vmId }) => {
    vms.remove(vmId);
    pending.end(vmId);
    recount();
  },
  "vm-stats-updated": ({ stats }) => vms.setStats(stats),
  "host-stats-updated": ({ host, ...stats }) => {
    hostOf(host).stats.value = stats;
  },
  "hangs-changed": () => {
    hangChanges.value++;
  },
  "connection-status-changed": ({ status, host }) => {
    hostOf(host).connection.value = status;
    if (status.connected) refetch();
  },
  "network-changed": ({ host = LOCAL_HOST }) => {
    if (host === pageHost()) networkChanges.value++;
  },
  "pool-changed": ({ name, host = LOCAL_HOST }) => {
    if (host === pageHost()) pools.value = { name };
  },
  "device-changed": () => {},
  activity: (entry) => {
    if (activity.peek().some(({ id }) => id === entry.id)) return;
    activity.value = [entry, ...activity.peek()].slice(0, ACTIVITY_KEPT);
  },
  "job-changed": ({ job }) => pageJobs.put(job),
  "job-progress": ({ job }) => pageJobs.put(job),
  "alert-fired": ({ incident, more }) => {
    import("./alert_toast.ts").then(({ showAlert }) => showAlert(incident, more))
      .catch((error) => reportFailure(undefined, error));
    notifier?.notifyAlert(incident, more).catch((error) => reportFailure(undefined, error));
  },
  "alerts-changed": () => {
    alertChanges.value++;
  },
  "bin-changed": () => {
    binChanges.value++;
  },
  error: ({ message }) => reportFailure(undefined, new Error(message)),
  reload: () => refetch(),
  "hosts-changed": () => refetch(),
  // The VMs tell which project they are in by themselves
  "projects-changed": () => {},
};

/** Events that tell how something is now, not that a thing became another: what a page was rendered with is as true as before. */
const FIGURES: ReadonlySet<EventName> = new Set<EventName>([
  "vm-stats-updated",
  "host-stats-updated",
  "connection-status-changed",
  "job-progress",
]);
let changes = 0;

function apply(event: AnyEvent): void {
  if (!FIGURES.has(event.name)) changes++;
  // The name decides the type of the data, which TypeScript cannot follow through the table.
  (HANDLERS[event.name] as (data: AnyEvent["data"]) => void)(event.data);
}

let fetching: Promise<void> | undefined;

/** Fetches all VMs, once however many ask for them at the same time. */
function fetchVms(): Promise<void> {
  fetching ??= api.getVms()
    .then((list) => vms.replace(list))
    .finally(() => {
      fetching = undefined;
    });
  return fetching;
}

/** Fetches again whatever this page shows: events were missed. */
function refetch(): void {
  pools.value = { name: undefined };
  vmChanges.value++;
  const wanted: Promise<unknown>[] = [
    api.getConnectionStatus().then((status) => {
      connection.value = status;
    }),
    readHosts(),
    api.listJobs().then((list) => pageJobs.seed(list)),
  ];
  if (vms.complete.peek()) wanted.push(fetchVms());
  else wanted.push(...vms.all.peek().map(({ id: vmId }) => api.getVm({ vmId }).then((vm) => vms.put(vm))));
  Promise.all(wanted).catch((error) => reportFailure("failed.refresh", error));
}

const readHosts = (): Promise<void> => api.listHosts().then(hostsAre);

/** Takes over how the hosts are now, and how many VMs they have. */
function hostsAre(list: readonly HostStatus[]): void {
  hostList.value = list;
  const found = vmCountsOf(list, pageHost()), before = counts.peek();
  // Equal is the same: what follows it reads again
  if (found?.total !== before?.total || found?.active !== before?.active) counts.value = found;
  for (const { id, status, error, uri, since } of list) {
    if (status === "disabled" || id === pageHost()) continue;
    hostOf(id).connection.value = { connected: status === "connected", status, error, uri, since };
  }
}

let recounting: ReturnType<typeof setTimeout> | undefined;

function recount(): void {
  vmChanges.value++;
  if (vms.complete.peek() || recounting !== undefined) return;
  recounting = setTimeout(() => {
    recounting = undefined;
    readHosts().catch((error) => reportFailure("failed.refresh", error));
  }, RECOUNT_MS);
}

let started: EventStream | undefined;
/** Shows alerts as notifications; loaded where this browser may show any. */
let notifier: typeof import("./alert_notifications.ts") | undefined;

function keepToForeground(events: EventStream): void {
  let leaving: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (!document.hidden) events.start();
    else {
      leaving = setTimeout(() => {
        if (notifier?.showsNotifications() !== true) events.pause();
      }, BACKGROUND_MS);
    }
  });
  addEventListener("pagehide", () => events.pause());
  addEventListener("pageshow", () => events.start());
}

/** The page's live data. On the server it stays empty: pages are rendered from what their route fetched. */
export const live = {
  vms,
  /** The page's host's newest load; null until the first arrives. */
  hostStats: hostStats as ReadonlySignal<HostStats | null>,
  /** The connection to libvirt; null until it is known. */
  connection: connection as ReadonlySignal<ConnectionStatus | null>,
  /** The connection to a host's libvirt, or to its KVM Manager; null until something was heard of it. */
  connectionOf: (host: string): ReadonlySignal<ConnectionStatus | null> => hostOf(host).connection,
  /** A host's newest load; null until something was heard of it. */
  statsOf: (host: string): ReadonlySignal<HostStats | null> => hostOf(host).stats,
  /** The hosts as they were read last; null until they were read again. */
  hosts: hostList as ReadonlySignal<readonly HostStatus[] | null>,
  /** Reads them. @throws {ApiError} */
  readHosts,
  /** The connection to KVM Manager itself. */
  stream: stream as ReadonlySignal<StreamState>,
  /** Activity since the page was opened, newest first. */
  activity: activity as ReadonlySignal<readonly Activity[]>,
  /** Grows with every change of a network, whichever it is. */
  networkChanges: networkChanges as ReadonlySignal<number>,
  /** Grows whenever VMs come, go, or get into another state. */
  vmChanges: vmChanges as ReadonlySignal<number>,
  /** Grows whenever something fires, or is over. */
  alertChanges: alertChanges as ReadonlySignal<number>,
  /** Grows whenever something does not respond, or does so again. */
  hangChanges: hangChanges as ReadonlySignal<number>,
  /** Counts what went into the bin, came back, or is gone. */
  binChanges: binChanges as ReadonlySignal<number>,
  /** How many changes were heard since the page was rendered, of whatever it is. */
  changes: (): number => changes,
  /** How many VMs there are; null until something changed. */
  counts: computed<VmCounts | null>(() => {
    if (!vms.complete.value) return counts.value;
    const all = vms.all.value;
    return {
      total: all.length,
      active: all.filter(({ state }) => state === "running" || state === "paused").length,
    };
  }),
  /** The storage pool that changed last, any when it has no name; null until one has. A new object each time. */
  pools: pools as ReadonlySignal<{ readonly name: string | undefined } | null>,
  /** Whether libvirt can be told to do something: what is shown is current, and commands would arrive. */
  controllable: computed(() => stream.value !== "broken" && connection.value?.connected !== false),

  /** The same, before the page has heard anything itself: as it was when it was rendered. */
  controls(connected: boolean): boolean {
    return connection.value === null ? connected : live.controllable.value;
  },

  /** Opens the stream where the page left off. Called once, by the island that is on every page. */
  start(eventId: string, status: ConnectionStatus): void {
    if (started !== undefined) return;
    connection.value = status;
    started = new EventStream(eventId, {
      names: Object.keys(HANDLERS) as EventName[],
      onEvents: (events) => batch(() => events.forEach(apply)),
      onState: (state) => {
        stream.value = state;
      },
    });
    started.start();
    keepToForeground(started);
    live.notify().catch((error) => reportFailure(undefined, error));
  },

  /**
   * Shows alerts as notifications, where this browser was allowed to: others need not load what does. Goes on as long as the
   * page is open. @throws {Error}
   */
  async notify(): Promise<void> {
    if (globalThis.Notification?.permission !== "granted") return;
    notifier = await import("./alert_notifications.ts");
    await notifier.showFromHere(() => started?.start());
  },

  /** Fetches all VMs, unless they are here. @throws {ApiError} */
  async complete(): Promise<void> {
    if (!vms.complete.peek()) await fetchVms();
  },
};
