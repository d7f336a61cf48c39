/** Command line functions for volumes and images outside the contract. */
import { message } from "../../lib/i18n/message.ts";
import type { ExtrasTable } from "./verb_extras.ts";
import { UsageError } from "./values.ts";

export const VOLUME_EXTRAS: ExtrasTable = {
  resize_volume: {
    growing: {
      field: "capacityBytes",
      now: async (server, { pool, volume }) => {
        const volumes = await server.call("get_volumes", { pool }) as {
          name: string;
          capacityBytes: number;
        }[];
        const found = volumes.find(({ name }) => name === volume);
        if (!found) throw new UsageError(message`the pool ${String(pool)} has no volume ${String(volume)}`);
        return found.capacityBytes;
      },
    },
  },
};
