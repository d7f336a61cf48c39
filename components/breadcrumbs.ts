/** Where a page is: the way to it from the host. */
import { nameIn } from "../lib/format/path_segment.ts";
import { oneLine } from "../lib/format/text.ts";
import { crumbs as crumbTexts } from "../lib/i18n/en/crumbs.ts";
import { networks } from "../lib/i18n/en/networks.ts";
import { topology } from "../lib/i18n/en/topology.ts";
import { reference as referenceTexts } from "../lib/i18n/en/reference.ts";
import { t, textsOf } from "../lib/i18n/mod.ts";
import { SETTINGS_TABS } from "../lib/format/settings_tabs.ts";
import { VM_TABS } from "../lib/format/vm_tabs.ts";

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

/** Address of the form for a new machine. */
export const NEW_VM = "/vms/new";

/** Pages below a machine's own, by the last part of their address. */
const VM_PAGES: ReadonlyMap<string, string> = new Map([
  ...VM_TABS.filter(({ path }) => path !== "").map(({ path, label }) => [path, t(label)] as const),
  ["/rename", own.t("crumbs.rename")],
  ["/clone", own.t("crumbs.clone")],
]);
/** Pages beside the list that are no machine's. */
const LIST_PAGES: ReadonlyMap<string, string> = new Map([
  [NEW_VM, t("vms.new")],
  ["/vms/import", own.t("crumbs.import")],
]);

/** The id of the machine whose page a path is, or is below. */
export function vmIdIn(path: string): string | undefined {
  if (LIST_PAGES.has(path)) return undefined;
  const [, id] = /^\/vms\/([^/]+)/.exec(path) ?? [];
  return id;
}

/** The steps to a storage pool: its name stands in the address. */
function storageCrumbs(path: string): Crumb[] {
  const crumbs = [{ label: t("nav.storage"), href: "/storage" }];
  const [, pool] = /^\/storage\/([^/]+)$/.exec(path) ?? [];
  return pool === undefined ? crumbs : [...crumbs, { label: oneLine(nameIn(decoded(pool)), 60), href: path }];
}

/** Pages below the list of images. */
const IMAGE_PAGES: ReadonlyMap<string, string> = new Map([
  ["/images/new", own.t("crumbs.image_new")],
  ["/images/catalog", own.t("crumbs.image_catalog")],
  ["/images/policy", own.t("crumbs.image_rules")],
]);

/** The steps to a page on images. */
function imageCrumbs(path: string): Crumb[] {
  const below = IMAGE_PAGES.get(path);
  const crumbs = [{ label: t("nav.images"), href: "/images" }];
  return below === undefined ? crumbs : [...crumbs, { label: below, href: path }];
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

/** The steps to a page of the settings. */
function settingsCrumbs(path: string): Crumb[] {
  const crumbs = [{ label: t("nav.settings"), href: "/settings" }];
  const tab = SETTINGS_TABS.find(({ href }) => path === href || path.startsWith(`${href}/`));
  return tab === undefined ? crumbs : [...crumbs, { label: own.t(tab.label), href: tab.href }];
}

/** A part of an address as people read it; as it stands where it is no valid encoding. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The steps to a path. `vmName` is the name of the machine that the path is about, if it is about one. */
export function crumbsOf(path: string, vmName: string | undefined): Crumb[] {
  if (path === "/") return [{ label: t("nav.dashboard"), href: "/" }];
  if (path === REFERENCE) return [{ label: texts.t("reference.title"), href: REFERENCE }];
  if (path === "/storage" || path.startsWith("/storage/")) return storageCrumbs(path);
  if (path === "/networks" || path.startsWith("/networks/")) return networkCrumbs(path);
  if (path === "/images" || path.startsWith("/images/")) return imageCrumbs(path);
  if (path.startsWith("/settings")) return settingsCrumbs(path);
  if (path === "/tasks") return [{ label: t("tasks.open"), href: "/tasks" }];
  if (path !== "/vms" && !path.startsWith("/vms/")) return [];
  const crumbs = [{ label: t("nav.vms"), href: "/vms" }];
  const beside = LIST_PAGES.get(path);
  if (beside !== undefined) return [...crumbs, { label: beside, href: path }];
  const id = vmIdIn(path);
  if (id === undefined || vmName === undefined) return crumbs;
  crumbs.push({ label: oneLine(vmName, 60), href: `/vms/${id}` });
  const below = VM_PAGES.get(path.slice(`/vms/${id}`.length));
  if (below !== undefined) crumbs.push({ label: below, href: path });
  return crumbs;
}
