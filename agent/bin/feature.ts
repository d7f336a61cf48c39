/** Deleted VMs and volumes, until their time is over. */
import type { binCommands } from "../../lib/contract/mod.ts";
import { expired } from "../../lib/bin/retention.ts";
import { bin as texts } from "../../lib/i18n/en/bin.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { feature } from "../feature.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { BIN_MIGRATIONS } from "../storage/bin/records.ts";
import { refreshPools } from "../storage/bin/keep.ts";
import { isLocked, lockEntry } from "../storage/bin/purge.ts";
import { keepPoolsFree, purgeItself } from "../storage/bin/room.ts";
import { takeFound } from "./found.ts";
import { binHandlers } from "./handlers.ts";

const { t } = textsOf(texts);

/** Milliseconds between looks for entries that are due. */
const LOOK_MS = 30_000;

/**
 * Marks entries whose move was interrupted as kept, unless an operation works on them: this process or its
 * database was lost meanwhile.
 */
function repair({ bin, id, operations }: LibvirtHost): void {
  if (operations.unsettled > 0) return;
  for (const entry of bin.all(id)) {
    if (entry.state === "kept" || isLocked(entry)) continue;
    using _alone = lockEntry(entry);
    bin.put({ ...entry, state: "kept" });
  }
}

export const binFeature = feature<keyof typeof binCommands>({
  name: "bin",
  migrations: BIN_MIGRATIONS,
  open: (app) => {
    const look = async (host: LibvirtHost) => {
      if (!host.inventory.filled || app.store.open() === undefined) return;
      repair(host);
      for (const key of [...app.bin.stale]) {
        const [id, ...pool] = key.split(" ");
        if (id === host.id) await refreshPools(host, [pool.join(" ")]);
      }
      if (app.drift.held === undefined) {
        for (const entry of expired(app.bin.all(host.id), app.clock.now())) {
          await purgeItself(host, entry, t("bin.why_expired"));
        }
      }
      await keepPoolsFree(host);
    };
    return {
      handlers: binHandlers(app),
      keptOf: (hostId) => app.bin.all(hostId).map(({ name }) => `${name}, which is in the bin`),
      forgetHost: (hostId) => {
        for (const { id } of app.bin.all(hostId)) app.bin.remove(id);
      },
      host: (host) => {
        host.keepers.add(() => app.bin.keptOf(host.id));
        return {
          connected: async () => {
            if (app.store.open() !== undefined) await takeFound(host);
          },
          periodic: [{ name: "bin", every: () => LOOK_MS, run: () => look(host) }],
        };
      },
    };
  },
});
