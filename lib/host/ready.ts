/** Prerequisites for creating VMs that a host lacks, and the steps that provide them, one click each. Pure. */
import type { CommandName, Network, StoragePool } from "../contract/mod.ts";
import { FILE_TYPES } from "../storage/pool_types.ts";
import { ready } from "../i18n/en/ready.ts";
import { textsOf } from "../i18n/mod.ts";
import { formHref } from "../text/form_href.ts";
import { oneLine } from "../text/text.ts";

const { t } = textsOf(ready);

/** Name and folder of the pool that every tool for libvirt uses. */
export const USUAL_POOL = { name: "default", type: "dir", path: "/var/lib/libvirt/images" } as const;
/** Name and kind of the network that every tool for libvirt uses. */
export const USUAL_NETWORK = { name: "default", mode: "nat" } as const;
/** Most steps offered of a kind. */
const MOST_STEPS = 3;

/** A command with its fields, and the words of its button. */
export interface ReadyStep {
  readonly command: CommandName;
  readonly fields: Readonly<Record<string, string | boolean>>;
  readonly text: string;
}

/** Something that is lacking. */
export interface NotReady {
  readonly about: "pool" | "network";
  /** The problem, and its effect. */
  readonly sentence: string;
  readonly steps: readonly ReadyStep[];
}

export type PoolLook = Pick<StoragePool, "name" | "type" | "autostart" | "persistent"> & {
  readonly running: boolean;
  readonly path?: string | undefined;
};
export type NetworkLook = Pick<Network, "name" | "active" | "autostart" | "persistent">;

/** A pool of the contract, as far as it matters here. */
export const poolLook = ({ state, ...pool }: StoragePool): PoolLook => ({
  ...pool,
  running: state !== "inactive",
});

const shown = (name: string) => oneLine(name, 40);

/** The pool that can be created with one click; undefined where its name or its folder is taken. */
export function creatablePool(
  pools: readonly Pick<PoolLook, "name" | "path">[],
): typeof USUAL_POOL | undefined {
  const isTaken = pools.some(({ name, path }) => name === USUAL_POOL.name || path === USUAL_POOL.path);
  return isTaken ? undefined : USUAL_POOL;
}

const createPoolStep = (pools: readonly PoolLook[]): ReadyStep[] => {
  const pool = creatablePool(pools);
  return pool === undefined
    ? []
    : [{ command: "create_storage_pool", fields: pool, text: t("ready.create_pool", pool) }];
};

/** Steps of one kind for what they are about. */
const stepsFor = (
  named: readonly { readonly name: string }[],
  command: CommandName,
  key: "pool" | "name",
  textOf: (name: string) => string,
  more: ReadyStep["fields"] = {},
): ReadyStep[] =>
  named.slice(0, MOST_STEPS).map(({ name }) => ({
    command,
    fields: { [key]: name, ...more },
    text: textOf(shown(name)),
  }));

/**
 * Missing prerequisite of the storage; null for none.
 *
 * @param need `files`: a pool that keeps images, and not only disks
 */
export function storageNotReady(
  pools: readonly PoolLook[],
  need: "disks" | "files" = "disks",
): NotReady | null {
  const fits = need === "disks" ? pools : pools.filter(({ type }) => FILE_TYPES.has(type));
  const running = fits.filter((pool) => pool.running);
  if (running.length === 0) {
    const sentence = pools.length === 0
      ? t("ready.no_pool")
      : t(pools.some((pool) => pool.running) ? "ready.pools_not_files" : "ready.pools_off");
    const start = stepsFor(fits, "start_storage_pool", "pool", (name) => t("ready.start_pool", { name }));
    return { about: "pool", sentence, steps: [...start, ...createPoolStep(pools)] };
  }
  const kept = running.filter(({ persistent }) => persistent);
  if (kept.length === 0 || kept.some(({ autostart }) => autostart)) return null;
  const more = { autostart: true };
  const steps = stepsFor(
    kept,
    "set_storage_pool_autostart",
    "pool",
    (name) => t("ready.autostart_pool", { name }),
    more,
  );
  return { about: "pool", sentence: t("ready.pools_not_started"), steps };
}

/**
 * Missing prerequisite of the networks; null for none.
 *
 * @param options whether the host has bridges of its own, and a subnet for a new network
 */
export function networksNotReady(
  networks: readonly NetworkLook[],
  { hasBridges, freeIpv4 = null }: { readonly hasBridges: boolean; readonly freeIpv4?: string | null },
): NotReady | null {
  const active = networks.filter((network) => network.active);
  if (active.length === 0) {
    if (hasBridges) return null;
    const start = stepsFor(networks, "start_network", "name", (name) => t("ready.start_network", { name }));
    const isFree = freeIpv4 !== null && !networks.some(({ name }) => name === USUAL_NETWORK.name);
    const create: ReadyStep[] = !isFree ? [] : [{
      command: "create_network",
      fields: { ...USUAL_NETWORK, "ipv4.address": freeIpv4 },
      text: t("ready.create_network", USUAL_NETWORK),
    }];
    const sentence = t(networks.length === 0 ? "ready.no_network" : "ready.networks_off");
    return { about: "network", sentence, steps: [...start, ...create] };
  }
  const kept = active.filter(({ persistent }) => persistent);
  if (hasBridges || kept.length === 0 || kept.some(({ autostart }) => autostart)) return null;
  const more = { autostart: true };
  const steps = stepsFor(
    kept,
    "set_network_autostart",
    "name",
    (name) => t("ready.autostart_network", { name }),
    more,
  );
  return { about: "network", sentence: t("ready.networks_not_started"), steps };
}

/** Bridges of containers and of libvirt: no VM is meant to be plugged into them. */
const OTHERS = /^(docker|podman|cni|virbr|lxcbr|lxdbr|incusbr|br-[0-9a-f]{12}$)/;

/** Whether there is a bridge that VMs can be plugged into. */
export const hasOwnBridge = (bridges: Iterable<string>): boolean =>
  [...bridges].some((name) => !OTHERS.test(name));

/** A missing prerequisite in the words and with the forms of a page: islands need no table of texts for it. */
export interface ShownLack {
  readonly about: NotReady["about"];
  readonly title: string;
  readonly sentence: string;
  /** Address that a form of one button is posted to, and the button's words. */
  readonly steps: readonly { readonly action: string; readonly text: string }[];
  /** Said where there is no step that the person may take. */
  readonly otherwise: string;
}

/**
 * A lack as a page shows it.
 *
 * @param may whether the person may call a command: other steps are left out
 * @param here the page to come back to
 */
export const shownLack = (
  lack: NotReady | null,
  may: (command: CommandName) => boolean,
  here: string,
): ShownLack | null =>
  lack && {
    about: lack.about,
    title: t(lack.about === "pool" ? "ready.pool" : "ready.network"),
    sentence: lack.sentence,
    steps: lack.steps.filter(({ command }) => may(command)).map(({ command, fields, text }) => ({
      action: formHref(command, fields, here),
      text,
    })),
    otherwise: t("ready.no_right"),
  };
