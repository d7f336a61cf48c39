/**
 * Filters for lists, the activity, jobs and events, which are sent to many users. A user who sees only some VMs learns
 * nothing of the others. Pure.
 */
import { shownConnection } from "./shown_connection.ts";
import {
  type Activity,
  type Alert,
  type AlertIncident,
  type AlertKind,
  type Command,
  type CommandName,
  COMMANDS,
  type DeviceOptions,
  type Hang,
  HOST_NETWORK,
  type HostInfo,
  type Job,
  type Output,
  type OutputFilter,
  type Project,
  type VM,
} from "../contract/mod.ts";
import type { PublishedEvent } from "../contract/events.ts";
import { LOCAL_HOST } from "../contract/local_host.ts";
import type { Sentence, Unrendered } from "../i18n/message.ts";
import { HIDDEN_SENTENCE, redact, redactLog, redactSentence, type Visibility } from "./redact.ts";
import { needOf } from "./permissions.ts";
import {
  type AccessObject,
  type HostObject,
  isAdministrator,
  may,
  mayAnywhere,
  seesEverything,
  type VmObject,
  vmObject,
} from "./rights.ts";
import { seesHost, seesVm, type Viewer } from "./viewer.ts";

/** A job, and an entry of the activity, before their texts are made for who reads them. */
export type StoredJob = Unrendered<Job>;
export type StoredActivity = Unrendered<Activity>;

/** The row of a command; undefined for what is none. */
const rowOf = (name: string): Command | undefined =>
  Object.hasOwn(COMMANDS, name) ? COMMANDS[name as CommandName] : undefined;

/**
 * Entries of the audit log and of accounts that come from no command. Administrators see them, as they do those of the
 * commands for it.
 */
const FOR_ADMINISTRATORS: ReadonlySet<string> = new Set(["prune_audit", "account-replaced"]);

/** Actor of what happened on a host without KVM Manager. */
const LIBVIRT = "libvirt";

/** The host of a field that is missing for the local one. */
const hostObject = (host: string | undefined): HostObject => ({ hostId: host ?? LOCAL_HOST });

/** Object of an entry that is on no VM: a host, or everything. @param name of the command */
function placeOfDeed(name: string, host: string | undefined): HostObject | "everything" {
  if (host !== undefined) return { hostId: host };
  const isOnHost = rowOf(name) !== undefined && ["host", "vm"].includes(needOf(name as CommandName).object);
  return isOnHost ? hostObject(host) : "everything";
}

/** Whether a place is not out of sight. */
const isInSight = (viewer: Viewer, place: HostObject | "everything"): boolean =>
  place === "everything" || seesHost(viewer, place.hostId);

/** Whether somebody has done something: an account of that name, and not another one that was deleted since. */
const isOwn = ({ name, since = 0 }: Viewer, actor: string, at: number) => actor === name && at >= since;

/** Whether the viewer sees an entry. Entries about accounts are for administrators. */
function seesActivity(viewer: Viewer, { action, actor, host, vmId, timestamp }: StoredActivity): boolean {
  if (isAdministrator(viewer.rights)) return true;
  if (FOR_ADMINISTRATORS.has(action) || rowOf(action)?.activityFor === "administrators") return false;
  const place = actor === LIBVIRT ? hostObject(host) : placeOfDeed(action, host);
  // Not even one's own attempts on a VM out of sight: the entry has its name.
  if (vmId !== undefined) {
    const isOfThisVm = timestamp >= (viewer.idSince?.(vmId) ?? 0);
    return seesVm(viewer, vmId) && (isOfThisVm || seesEverything(viewer.rights, place));
  }
  return (isOwn(viewer, actor, timestamp) && isInSight(viewer, place)) ||
    seesEverything(viewer.rights, place);
}

/**
 * An entry of the activity as somebody may see it; null when not at all. A message that names other VMs is told to
 * who sees these: a VM that is gone is hidden from users who have rights to some VMs only.
 */
function filterActivity(
  viewer: Viewer,
  entry: StoredActivity,
  sight: Visibility | undefined,
): StoredActivity | null {
  if (!seesActivity(viewer, entry)) return null;
  const { mentions = [], ...rest } = entry;
  if (!mentions.every((id) => seesVm(viewer, id))) return { ...rest, message: HIDDEN_SENTENCE };
  if (sight === undefined || entry.message === undefined) return entry;
  const message = redactSentence(entry.message, sight);
  return message === entry.message ? entry : { ...entry, message };
}

/**
 * Whether a job makes VMs for somebody else. It names them before they are there, when it is not known yet who may
 * see them.
 */
function makesForOthers(viewer: Viewer, { command, actor, startedAt }: StoredJob): boolean {
  const { makesVm, makesVms }: Partial<Command> = rowOf(command) ?? {};
  return (makesVm !== undefined || makesVms === true) && !isOwn(viewer, actor, startedAt);
}

/** Object that decides who sees a job: its VM, its host, or everything. */
const objectOfJob = ({ placeOf }: Viewer, { command, host, vmId }: StoredJob): AccessObject =>
  vmId === undefined ? placeOfDeed(command, host) : vmObject(vmId, placeOf(vmId));

/** A job as somebody may see it: what it is called and its failure may name other VMs. */
function filterJob(viewer: Viewer, job: StoredJob, sight: Visibility | undefined): StoredJob {
  if (sight === undefined) return job;
  const { title, subject, error, waitsFor } = job;
  if (makesForOthers(viewer, job)) {
    const { subject: _name, waitsFor: _others, ...rest } = job;
    return { ...rest, title: HIDDEN_SENTENCE, error: error && { ...error, message: HIDDEN_SENTENCE } };
  }
  const seen = (sentence: Sentence) => redactSentence(sentence, sight);
  return {
    ...job,
    title: seen(title),
    ...(waitsFor !== undefined && { waitsFor: waitsFor.map(seen) }),
    ...(subject !== undefined && { subject: seen(subject) }),
    error: error && { ...error, message: seen(error.message) },
  };
}

/**
 * Whether a job may be seen: of a VM one sees, or of the storage; of VMs that are being made, where one sees them all;
 * one's own, too, as far as the rights still are those that it took. A token has its owner's name, and less rights.
 */
export function seesJob(viewer: Viewer, job: StoredJob): boolean {
  const { rights } = viewer, { actor, host, vmId, command, startedAt } = job;
  if (isAdministrator(rights)) return true;
  const row = rowOf(command), needed = row && needOf(command as CommandName).permission;
  if (row?.privateTask) return may(rights, needed!, objectOfJob(viewer, job));
  if (vmId !== undefined) return seesVm(viewer, vmId);
  const place = placeOfDeed(command, host);
  const isTheirs = isOwn(viewer, actor, startedAt) && isInSight(viewer, place) &&
    needed !== undefined && mayAnywhere(rights, needed);
  if (makesForOthers(viewer, job)) return may(rights, "vms.view", place);
  return isTheirs || may(rights, "storage.view", place);
}

/** Subject of an alert or an incident, as far as it decides who sees it. */
export interface AlertPlace {
  readonly vmId?: string | undefined;
  /** Id of the host that an alert is on. */
  readonly hostId?: string | undefined;
  /** Id of the host that it fired for. */
  readonly host?: string | undefined;
  readonly watches?: AlertKind | undefined;
}

/**
 * Kinds of alerts that watch hosts. The other kinds without a VM are about KVM Manager itself, although they name the
 * local host.
 */
const OF_HOSTS: ReadonlySet<AlertKind | undefined> = new Set(
  ["host_metric", "host_connection_lost", "not_responding"] as const,
);

/** The object of an alert, or of what it fired. */
export function objectOfAlert(
  { placeOf }: Pick<Viewer, "placeOf">,
  { vmId, hostId, host, watches }: AlertPlace,
): VmObject | HostObject | "everything" {
  if (vmId !== undefined) return vmObject(vmId, placeOf(vmId));
  const on = hostId ?? host;
  return on !== undefined && OF_HOSTS.has(watches) ? { hostId: on } : "everything";
}

/**
 * Whether an alert, or what it fired, may be seen: that of a VM one sees, and that of a host by who sees all there; others take
 * a right to everything.
 */
export function seesAlert(viewer: Viewer, subject: AlertPlace): boolean {
  const object = objectOfAlert(viewer, subject);
  if (!may(viewer.rights, "alerts.view", object)) return false;
  return object !== "everything" && "vmId" in object
    ? seesVm(viewer, object.vmId)
    : seesEverything(viewer.rights, object);
}

/** Filters of answers, by `hides` of the command's row. Each returns the part that the viewer may see. */
const FILTERS: Readonly<
  Record<
    OutputFilter,
    (
      answer: never,
      viewer: Viewer,
      vms: () => readonly VM[],
      sight: Visibility | undefined,
      place: HostObject | "everything",
    ) => unknown
  >
> = {
  "host-interfaces": (options: DeviceOptions, { rights }, _vms, _sight, place) =>
    may(rights, HOST_NETWORK, place)
      ? options
      : { ...options, hostInterfaces: [], userNetworking: [], mayLoosenFilters: false },
  "other-vms": (list: readonly VM[], viewer) => list.filter(({ id }) => seesVm(viewer, id)),
  "other-projects": (list: readonly Project[], { rights }) =>
    list.filter(({ id }) => may(rights, needOf("list_projects").permission, { projectId: id })),
  "other-figures": (written: unknown) => written,
  "other-activity": (list: readonly StoredActivity[], viewer, _vms, sight) =>
    list.map((each) => filterActivity(viewer, each, sight)).filter((each) => each !== null),
  "other-jobs": (list: readonly StoredJob[], viewer, _vms, sight) =>
    list.filter((each) => seesJob(viewer, each)).map((each) => filterJob(viewer, each, sight)),
  "other-jobs-found": ({ jobs, ...rest }: Unrendered<Output<"search_jobs">>, viewer, _vms, sight) => ({
    jobs: jobs.filter((each) => seesJob(viewer, each)).map((each) => filterJob(viewer, each, sight)),
    ...rest,
  }),
  "other-alerts": (list: readonly Alert[], viewer) => list.filter((each) => seesAlert(viewer, each)),
  "other-incidents": (list: readonly AlertIncident[], viewer) =>
    list.filter((each) => seesAlert(viewer, each)),
  "job-of-other-vms": ({ job, log }: Unrendered<Output<"get_job">>, viewer, _vms, sight) => {
    if (sight === undefined) return { job, log };
    const told = makesForOthers(viewer, job) ? [] : redactLog(log, sight);
    return { job: filterJob(viewer, job, sight), log: told };
  },
  "other-hangs": (list: readonly Hang[], viewer, _vms, _sight, place) =>
    list.filter(({ vmId }) =>
      vmId === undefined ? seesEverything(viewer.rights, place) : seesVm(viewer, vmId)
    ),
  "vm-counts": (info: HostInfo, viewer, vms, _sight, place) => {
    if (may(viewer.rights, "vms.view", place)) return info;
    const seen = vms().filter(({ id }) => seesVm(viewer, id));
    const active = seen.filter(({ state }) => state === "running" || state === "paused");
    return { ...info, activeVms: active.length, totalVms: seen.length };
  },
};

/**
 * How much is asked for of a list that is cut to a length before it is filtered, so that enough is left: as much as its
 * `limit` allows. Undefined for other answers.
 */
export function longestOf(command: CommandName): number | undefined {
  const { hides, input, rows }: Command = COMMANDS[command];
  // What has a page's end in it is filtered by its handler
  if (rows !== undefined) return undefined;
  const { properties = {} } = input as { properties?: { limit?: { maximum?: number } } };
  return hides === undefined ? undefined : properties.limit?.maximum;
}

/** Visibility of the VMs for a viewer; undefined when all of them are visible. */
export function sightOf(viewer: Viewer, vms: () => readonly VM[]): Visibility | undefined {
  if (may(viewer.rights, "vms.view", "everything")) return undefined;
  let seen: readonly VM[] | undefined;
  const vmsSeen = () => seen ??= vms().filter(({ id }) => seesVm(viewer, id));
  return {
    sees: (vmId) => seesVm(viewer, vmId),
    seesTag: (tag) => vmsSeen().some(({ tags }) => tags.includes(tag)),
    seesGroup: (name) =>
      may(viewer.rights, "vms.view", { vmId: "", group: name, hostId: undefined }) ||
      vmsSeen().some(({ group }) => group === name),
  };
}

/**
 * A command's answer as somebody may see it, its texts not made yet.
 *
 * @param vms every VM
 * @param vmsThere those of the host that the command was carried out on
 * @param hostId that host; undefined for what is carried out on none
 */
export function filterOutput(
  command: CommandName,
  answer: unknown,
  viewer: Viewer,
  vms: () => readonly VM[],
  vmsThere: () => readonly VM[] = vms,
  hostId?: string,
): unknown {
  if (isAdministrator(viewer.rights)) return answer;
  const { hides }: Command = COMMANDS[command];
  const sight = sightOf(viewer, vms);
  const place = hostId === undefined ? "everything" : { hostId };
  const filter = hides &&
    FILTERS[hides] as (...call: [unknown, Viewer, typeof vms, typeof sight, typeof place]) => unknown;
  const shown = filter === undefined ? answer : filter(answer, viewer, vmsThere, sight, place);
  return sight === undefined ? shown : redact(shown, sight);
}

/** Decides which events a client is told. */
export interface EventFilter {
  /** The event as it is told; null when it is not. */
  shown(event: Unrendered<PublishedEvent>): Unrendered<PublishedEvent> | null;
}

/** An event stream as somebody may see it. It remembers which VMs it has told of: some go out of sight. */
export class EventView implements EventFilter {
  readonly #known: Set<string>;

  /**
   * @param known ids of the VMs that are seen when the stream begins
   * @param vms every VM
   */
  constructor(
    private readonly viewer: Viewer,
    known: Iterable<string>,
    private readonly vms: () => readonly VM[],
  ) {
    this.#known = new Set(known);
  }

  shown(event: Unrendered<PublishedEvent>): Unrendered<PublishedEvent> | null {
    const { viewer } = this;
    const [name, data] = event;
    switch (name) {
      case "vm-created":
      case "vm-updated": {
        const { hostId, project } = viewer.placeOf(data.vm.id) ?? {};
        if (may(viewer.rights, "vms.view", { vmId: data.vm.id, group: data.vm.group, project, hostId })) {
          this.#known.add(data.vm.id);
          return event;
        }
        return this.#known.delete(data.vm.id) ? ["vm-deleted", { vmId: data.vm.id }] : null;
      }
      case "vm-deleted":
        return this.#known.delete(data.vmId) ? event : null;
      case "vm-state-changed":
      case "vm-stats-updated":
        return seesVm(viewer, data.vmId) ? event : null;
      case "activity": {
        const shown = filterActivity(viewer, data, sightOf(viewer, this.vms));
        return shown === data ? event : shown && ["activity", shown];
      }
      case "job-changed":
      case "job-progress": {
        if (!seesJob(viewer, data.job)) return null;
        const job = filterJob(viewer, data.job, sightOf(viewer, this.vms));
        return job === data.job ? event : [name, { job }];
      }
      case "network-changed":
        return may(viewer.rights, "networks.view", hostObject(data.host)) ? event : null;
      case "pool-changed":
        return may(viewer.rights, "storage.view", hostObject(data.host)) ? event : null;
      case "device-changed":
        return seesEverything(viewer.rights, hostObject(data.host)) ? event : null;
      case "alert-fired":
        if (!seesAlert(viewer, data.incident)) return null;
        // How many others there are is nothing for who sees only some
        return seesEverything(viewer.rights) ? event : [name, { incident: data.incident, more: 0 }];
      case "alerts-changed":
        return mayAnywhere(viewer.rights, needOf("list_alerts").permission) ? event : null;
      case "host-stats-updated":
        return may(viewer.rights, needOf("get_host_stats").permission, hostObject(data.host)) ? event : null;
      case "hangs-changed":
        return isInSight(viewer, hostObject(data.host)) ? event : null;
      case "connection-status-changed":
        if (!isInSight(viewer, hostObject(data.host))) return null;
        return data.host === undefined
          ? event
          : [name, { ...data, status: shownConnection(data.status, viewer.rights) }];
      case "bin-changed":
      case "projects-changed":
      case "hosts-changed":
      case "reload":
        return event;
      default:
        return seesEverything(viewer.rights) ? event : null;
    }
  }
}
