/** The application in the test's own process: for what must be chosen between two of its calls, or has no setting yet. */
import { localPrincipal } from "../../agent/testing.ts";
import { Application } from "../../agent/app.ts";
import type { HostConfig } from "../../agent/hosts/host_config.ts";
import { HOST_MIGRATIONS, HostRecords } from "../../agent/hosts/records.ts";
import { Store } from "../../agent/store/store.ts";
import type { Settings } from "../../agent/settings.ts";
import type { Api } from "../../lib/contract/api.ts";
import { URI } from "./virsh.ts";
import { until } from "./wait.ts";

/** Settings of such an application; nothing listens. */
export function settingsHere(dataDir: string): Settings {
  return {
    listen: [],
    tlsCert: "auto",
    tlsKey: "auto",
    hsts: "auto",
    hostName: [],
    trustedProxy: [],
    grpcListen: [],
    basePath: "/",
    uri: URI,
    dataDir,
    runtimeDir: dataDir,
    socketGroup: "none",
    socketRole: "operator",
    virtType: "qemu",
    overcommit: "refuse",
    logLevel: "error",
    journal: "off",
    pam: "off",
    imageCatalog: "builtin",
    metricsInterval: 30,
    guestInterval: 0,
    metricsEndpoint: "off",
    hookPrograms: "off",
    binDays: 0,
    demo: false,
  };
}

/** Has an application that is to be started serve these hosts in addition to the local one. */
export function keepHosts(dataDir: string, others: readonly HostConfig[]): void {
  if (others.length === 0) return;
  const store = new Store(dataDir, undefined, [{ name: "host", migrations: HOST_MIGRATIONS }]);
  const records = new HostRecords(store);
  for (const [added, { id, label = id, uri }] of others.entries()) {
    records.put({ id, label, uri, added, isEnabled: true });
  }
  store.close();
}

/** A started application whose hosts were read, and its commands as an administrator. Stops when disposed of. */
export async function appHere(others: readonly HostConfig[] = [], uri = URI) {
  const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  keepHosts(dataDir, others);
  const app = new Application({ ...settingsHere(dataDir), uri });
  app.start();
  await until(
    "the hosts are read",
    () => Promise.resolve(app.hosts.all().every(({ inventory }) => inventory.filled)),
  );
  return {
    app,
    dataDir,
    api: app.apiFor(localPrincipal("page")) as Api,
    async [Symbol.asyncDispose]() {
      await app.stop();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}
