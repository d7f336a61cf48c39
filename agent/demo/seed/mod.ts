/** Writes the past of the demo with the product's own repositories. */
import { Store } from "../../store/store.ts";
import { FEATURES } from "../../features.ts";
import { seedHosts } from "./hosts.ts";

export async function seedDemo(dataDir: string, now: number): Promise<void> {
  const store = new Store(
    dataDir,
    undefined,
    FEATURES.map(({ name, migrations = [] }) => ({ name, migrations })),
  );
  seedHosts(store, now);
  store.close();
  await Promise.resolve();
}
