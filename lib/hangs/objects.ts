/** Selects the hangs that concern an object on a page. Pure. */
import type { Hang } from "../contract/host.ts";
import { networkHref } from "../network/network_href.ts";
import { poolHref } from "../storage/pool_href.ts";

/** Why a pool does not respond: itself, or the file system that it is on; undefined where nothing is known. */
export function hangOfPool(
  hangs: readonly Hang[],
  { name, path }: { readonly name: string; readonly path?: string | undefined },
): Hang | undefined {
  return hangs.find((hang) => hang.about === "pool" && hang.name === name) ??
    hangs.find((hang) =>
      hang.about === "storage" && path !== undefined && `${path}/`.startsWith(`${hang.name}/`)
    );
}

/** Why a network does not respond; undefined where it does. */
export function hangOfNetwork(hangs: readonly Hang[], name: string): Hang | undefined {
  return hangs.find((hang) => hang.about === "network" && hang.name === name);
}

/** Kind → where more is said of it. */
const PLACES: Readonly<Record<Hang["about"], (hang: Hang) => string | undefined>> = {
  vm: ({ vmId }) => vmId === undefined ? undefined : `/vms/${encodeURIComponent(vmId)}`,
  pool: ({ name }) => poolHref(name),
  network: ({ name }) => networkHref(name),
  storage: () => "/storage",
  host: () => undefined,
};

/** The page of what does not respond; undefined where it has none. */
export const hangHref = (hang: Hang): string | undefined => PLACES[hang.about](hang);
