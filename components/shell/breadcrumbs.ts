/** Breadcrumbs of a page: the path to it from the host. */
import { nameIn } from "../../lib/text/path_segment.ts";
import { oneLine } from "../../lib/text/text.ts";
import { crumbs as crumbTexts } from "../../lib/i18n/en/crumbs.ts";
import { networks } from "../../lib/i18n/en/networks.ts";
import { topology } from "../../lib/i18n/en/topology.ts";
import { reference as referenceTexts } from "../../lib/i18n/en/reference.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { SETTINGS_TABS } from "../../lib/access/settings_tabs.ts";
import { HELP } from "../../lib/help/chapters.ts";
import { INSIGHTS_PATH } from "../../lib/insights/page_query.ts";
import { VM_TABS } from "../../lib/vm/tabs.ts";

const texts = textsOf(referenceTexts);
const own = textsOf(crumbTexts);
const networkTexts = textsOf(networks);
const topologyTexts = textsOf(topology);

/** One step; the last one is the page itself. */
export interface Crumb {
  readonly label: string;
  readonly href: string;
}

/** Address of the API's reference. */
export const REFERENCE = "/api/v1/reference";

/** Address of the form for a new VM. */
export const NEW_VM = "/vms/new";

/** Pages below a VM's own, by the last part of their address. */
const VM_PAGES: ReadonlyMap<string, () => string> = new Map([
  ...VM_TABS.filter(({ path }) => path !== "").map(({ path, label }) => [path, () => t(label)] as const),
  ["/boot", () => own.t("crumbs.boot")],
  ["/project", () => own.t("crumbs.project")],
  ["/log", () => t("vm.qemu_log")],
  ["/rename", () => own.t("crumbs.rename")],
  ["/clone", () => own.t("crumbs.clone")],
  ["/export-ova", () => own.t("crumbs.export_ova")],
  ["/template", () => own.t("crumbs.make_template")],
]);
/** Pages of VMs that are about no single VM. */
const LIST_PAGES: ReadonlyMap<string, () => string> = new Map([
  [NEW_VM, () => t("vms.new")],
  ["/vms/move", () => own.t("crumbs.move")],
  ["/vms/import", () => own.t("crumbs.import")],
  ["/vms/import-ova", () => own.t("crumbs.import_ova")],
  ["/vms/import-from", () => own.t("crumbs.import_from")],
]);

/** The id of the VM whose page a path is, or is below. */
export function vmIdIn(path: string): string | undefined {
  if (LIST_PAGES.has(path)) return undefined;
  const [, id] = /^\/vms\/([^/]+)/.exec(path) ?? [];
  return id;
}

/** The steps to a storage pool: its name stands in the address. */
function storageCrumbs(path: string): Crumb[] {
  const crumbs = [{ label: t("nav.storage"), href: "/storage" }];
  const [, pool, below] = /^\/storage\/([^/]+)(\/copy)?$/.exec(path) ?? [];
  if (pool === undefined) return crumbs;
  return [
    ...crumbs,
    { label: oneLine(nameIn(decoded(pool)), 60), href: `/storage/${pool}` },
    ...below === undefined ? [] : [{ label: own.t("crumbs.copy_volume"), href: path }],
  ];
}

/** Pages below the list of images. */
const IMAGE_PAGES: ReadonlyMap<string, () => string> = new Map([
  ["/images/new", () => own.t("crumbs.image_new")],
  ["/images/catalog", () => own.t("crumbs.image_catalog")],
  ["/images/policy", () => own.t("crumbs.image_rules")],
]);

/** The steps to a page on images. */
function imageCrumbs(path: string): Crumb[] {
  const below = IMAGE_PAGES.get(path);
  const crumbs = [{ label: t("nav.images"), href: "/images" }];
  return below === undefined ? crumbs : [...crumbs, { label: below(), href: path }];
}

/** Pages below the alerts. */
const ALERT_PAGES: ReadonlyMap<string, () => string> = new Map([
  ["rules", () => own.t("crumbs.alert_rules")],
  ["history", () => own.t("crumbs.alert_history")],
  ["silences", () => own.t("crumbs.alert_silences")],
  ["new", () => own.t("crumbs.alert_new")],
]);

/** The steps to a page on alerts. */
function alertCrumbs(path: string): Crumb[] {
  const [, part = "", id] = /^\/alerts\/([^/]+)(\/[^/]+)?/.exec(path) ?? [];
  const below = ALERT_PAGES.get(part);
  return [
    { label: t("nav.alerts"), href: "/alerts" },
    ...below === undefined ? [] : [{ label: below(), href: `/alerts/${part}` }],
    ...id === undefined ? [] : [{ label: own.t("crumbs.alert_edit"), href: path }],
  ];
}

/** The steps to a network: its name stands in the address. */
function networkCrumbs(path: string): Crumb[] {
  const crumbs = [{ label: t("nav.networks"), href: "/networks" }];
  const [, name] = /^\/networks\/([^/]+)/.exec(path) ?? [];
  if (name === undefined) return crumbs;
  if (name === "new") return [...crumbs, { label: networkTexts.t("networks.new"), href: path }];
  if (name === "topology") return [...crumbs, { label: topologyTexts.t("topology.title"), href: path }];
  return [...crumbs, { label: oneLine(nameIn(decoded(name)), 60), href: `/networks/${name}` }];
}

/** A list whose rows have pages of their own, by id; and what those pages lead to, by the last part of the address. */
interface Listed {
  readonly label: () => string;
  readonly created?: () => string;
  readonly pages?: Readonly<Record<string, () => string>>;
}

const LISTED: Readonly<Record<string, Listed>> = {
  "/backups": {
    label: () => t("nav.backups"),
    created: () => own.t("crumbs.backup_new"),
    pages: { edit: () => own.t("crumbs.backup_edit"), restore: () => own.t("crumbs.backup_restore") },
  },
  "/schedules": {
    label: () => t("nav.schedules"),
    created: () => own.t("crumbs.schedule_new"),
    pages: { edit: () => own.t("crumbs.schedule_edit") },
  },
  "/templates": { label: () => t("nav.templates") },
  "/projects": { label: () => t("nav.projects"), pages: { tools: () => own.t("crumbs.project_tools") } },
  "/profiles": { label: () => t("nav.profiles") },
  "/tasks": { label: () => t("tasks.open") },
};

/** The steps to a page of such a list. @param subject the name of what the page is about */
function listedCrumbs(list: string, path: string, subject: string | undefined): Crumb[] {
  const { label, created, pages = {} } = LISTED[list]!;
  const [, id, page = ""] = path.slice(list.length).split("/");
  const crumbs = [{ label: label(), href: list }];
  if (id === undefined) return crumbs;
  if (id === "new" && created !== undefined) return [...crumbs, { label: created(), href: path }];
  if (subject !== undefined) crumbs.push({ label: oneLine(subject, 60), href: `${list}/${id}` });
  return Object.hasOwn(pages, page) ? [...crumbs, { label: pages[page]!(), href: path }] : crumbs;
}

/** The steps to a page of the settings. */
function settingsCrumbs(path: string, subject: string | undefined): Crumb[] {
  const crumbs = [{ label: t("nav.settings"), href: "/settings" }];
  const tab = SETTINGS_TABS.find(({ href }) => path === href || path.startsWith(`${href}/`));
  if (tab === undefined) return crumbs;
  crumbs.push({ label: own.t(tab.label), href: tab.href });
  if (subject !== undefined) crumbs.push({ label: oneLine(subject, 60), href: path });
  return crumbs;
}

/** The steps to the graphs of the host, and of several VMs. */
function monitoringCrumbs(path: string): Crumb[] {
  const crumbs = [{ label: t("nav.dashboard"), href: "/" }, {
    label: t("vm.tab_monitoring"),
    href: "/monitoring",
  }];
  return path === "/monitoring/compare"
    ? [...crumbs, { label: own.t("crumbs.compare"), href: path }]
    : crumbs;
}

/** A part of an address as people read it; as it stands where it is no valid encoding. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The steps to a page of a VM, and to those about no single VM. */
function vmCrumbs(path: string, vmName: string | undefined): Crumb[] {
  const crumbs = [{ label: t("nav.vms"), href: "/vms" }];
  const listPage = LIST_PAGES.get(path);
  if (listPage !== undefined) return [...crumbs, { label: listPage(), href: path }];
  const id = vmIdIn(path);
  if (id === undefined || vmName === undefined) return crumbs;
  crumbs.push({ label: oneLine(vmName, 60), href: `/vms/${id}` });
  const below = VM_PAGES.get(path.slice(`/vms/${id}`.length));
  if (below !== undefined) crumbs.push({ label: below(), href: path });
  return crumbs;
}

/** The documentation, and one of its chapters. @param title the chapter's */
function helpCrumbs(path: string, title: string | undefined): Crumb[] {
  const crumbs = [{ label: t("nav.help"), href: HELP }];
  return title === undefined ? crumbs : [...crumbs, { label: title, href: path }];
}

/** A page by itself. */
const single = (label: () => string) => (path: string): Crumb[] => [{ label: label(), href: path }];

/** Address → the steps to it and to what is below it. */
const AREAS:
  readonly (readonly [at: string, crumbs: (path: string, subject: string | undefined) => Crumb[]])[] = [
    [REFERENCE, single(() => texts.t("reference.title"))],
    ["/vms", vmCrumbs],
    ["/storage", storageCrumbs],
    ["/networks", networkCrumbs],
    ["/images", imageCrumbs],
    ["/alerts", alertCrumbs],
    ["/settings", settingsCrumbs],
    ["/monitoring", monitoringCrumbs],
    ["/maintenance", single(() => own.t("crumbs.maintenance"))],
    ["/bin", single(() => t("nav.bin"))],
    [HELP, helpCrumbs],
    ["/replication", single(() => t("nav.replication"))],
    [INSIGHTS_PATH, single(() => t("nav.insights"))],
    ...Object.keys(LISTED).map((list) =>
      [list, (path: string, subject: string | undefined) => listedCrumbs(list, path, subject)] as const
    ),
  ];

/** The steps to a path. @param subject the name of the VM, or of what else of an id in the path the page is about */
export function crumbsOf(path: string, subject: string | undefined): Crumb[] {
  if (path === "/") return [{ label: t("nav.dashboard"), href: "/" }];
  const area = AREAS.find(([at]) => path === at || path.startsWith(`${at}/`));
  return area === undefined ? [] : area[1](path, subject);
}
