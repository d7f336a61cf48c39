/** Boot devices for one start of a VM: the choices, and the hindrance of each. Pure. */
import type { BootFrom, Disk, NetworkInterface } from "../contract/vm.ts";
import { manage } from "../i18n/en/manage.ts";
import { textsOf } from "../i18n/mod.ts";

const { t } = textsOf(manage);

/** Fields of a VM that say from where it can boot. */
export interface BootSources {
  readonly disks: readonly Pick<Disk, "device" | "source">[];
  readonly networkInterfaces: readonly Pick<NetworkInterface, "mac">[];
}

/** Kinds of disks that hold a system of the VM's own. */
const HARD_DISKS: ReadonlySet<string> = new Set(["disk", "lun"]);

/** Choice → why a VM cannot be booted from it, as a sentence; undefined where it can. */
const OBSTACLES: Readonly<Record<BootFrom, (sources: BootSources) => string | undefined>> = {
  disk: ({ disks }) =>
    disks.some(({ device }) => HARD_DISKS.has(device)) ? undefined : t("manage.boot_no_disk"),
  cdrom: ({ disks }) => {
    const drives = disks.filter(({ device }) => device === "cdrom");
    if (drives.length === 0) return t("manage.boot_no_drive");
    return drives.some(({ source }) => source !== undefined) ? undefined : t("manage.boot_empty_drive");
  },
  network: ({ networkInterfaces }) => networkInterfaces.length > 0 ? undefined : t("manage.boot_no_network"),
  menu: () => undefined,
};

/** Why a VM cannot be booted from there, as a sentence; undefined where it can. */
export function bootObstacle(from: BootFrom, sources: BootSources): string | undefined {
  return OBSTACLES[from](sources);
}
