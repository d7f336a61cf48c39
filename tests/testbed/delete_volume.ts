import type { Output } from "../../lib/contract/mod.ts";
import { call } from "./product.ts";
import { CallError, type TestServer } from "./server.ts";
import { until } from "./wait.ts";

/**
 * Deletes a volume once all pools are known: while pools of other tests go on the same libvirt, what is built on it cannot
 * be told.
 */
export async function deleteVolume(
  server: TestServer,
  pool: string,
  volume: string,
): Promise<Output<"delete_volume">> {
  return await until("all pools to be known", async () => {
    try {
      return await call(server, "delete_volume", { pool, volume });
    } catch (error) {
      const { code } = (error instanceof CallError ? error.body : {}) as { code?: string };
      if (code === "StorageUnknown") return false;
      throw error;
    }
  });
}
