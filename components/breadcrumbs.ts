/** Where a page is: the way to it from the host. */
import { oneLine } from "../lib/format/text.ts";
import { reference as referenceTexts } from "../lib/i18n/en/reference.ts";
import { t, textsOf } from "../lib/i18n/mod.ts";

const texts = textsOf(referenceTexts);

/** One step; the last one is the page itself. */
export interface Crumb {
  readonly label: string;
  readonly href: string;
}

/** Address of the API's reference. */
export const REFERENCE = "/api/v1/reference";

/** Address of the form for a new machine. */
export const NEW_VM = "/vms/new";

/** The id of the machine whose page a path is, or is below. */
export function vmIdIn(path: string): string | undefined {
  if (path === NEW_VM) return undefined;
  const [, id] = /^\/vms\/([^/]+)/.exec(path) ?? [];
  return id;
}

/** The steps to a storage pool: its name stands in the address. */
function storageCrumbs(path: string): Crumb[] {
  const crumbs = [{ label: t("nav.storage"), href: "/storage" }];
  const [, pool] = /^\/storage\/([^/]+)$/.exec(path) ?? [];
  if (pool === undefined) return crumbs;
  try {
    crumbs.push({ label: oneLine(decodeURIComponent(pool), 60), href: path });
  } catch {
    // No name of anything: the page says so.
  }
  return crumbs;
}

/** The steps to a path. `vmName` is the name of the machine that the path is about, if it is about one. */
export function crumbsOf(path: string, vmName: string | undefined): Crumb[] {
  if (path === "/") return [{ label: t("nav.dashboard"), href: "/" }];
  if (path === REFERENCE) return [{ label: texts.t("reference.title"), href: REFERENCE }];
  if (path === "/storage" || path.startsWith("/storage/")) return storageCrumbs(path);
  if (path !== "/vms" && !path.startsWith("/vms/")) return [];
  const crumbs = [{ label: t("nav.vms"), href: "/vms" }];
  if (path === NEW_VM) return [...crumbs, { label: t("vms.new"), href: path }];
  const id = vmIdIn(path);
  if (id === undefined || vmName === undefined) return crumbs;
  crumbs.push({ label: oneLine(vmName, 60), href: `/vms/${id}` });
  if (path.endsWith("/console")) crumbs.push({ label: t("vm.tab_console"), href: path });
  if (path.endsWith("/serial")) crumbs.push({ label: t("vm.tab_serial"), href: path });
  if (path.endsWith("/xml")) crumbs.push({ label: t("vm.tab_xml"), href: path });
  return crumbs;
}
