/**
 * The demo: a company's VMs on three hosts, a month of their past, and nothing that is real. Its hosts are libvirt's test
 * driver with an answer for all that this lacks (`libvirt/`), its past is written with the product's own repositories
 * (`seed/`) before anything else opens the data folder. Pages and commands know nothing of it.
 */
import { closeOutside } from "../../ffi/outside.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { SYSTEM_CLOCK } from "../clock.ts";
import type { SimulationOf } from "../libvirt/simulation.ts";
import type { Settings } from "../settings.ts";
import { enterDemoFolder } from "./enter.ts";
import { HostSimulation } from "./libvirt/host_simulation.ts";
import { seedDemo } from "./seed/mod.ts";
import { DEMO_HOSTS, type DemoHost, uriOf } from "./world/hosts.ts";

export interface Demo extends AsyncDisposable {
  readonly settings: Settings;
  readonly simulationOf: SimulationOf;
  /** Writes the past of the demo into its data folder, unless it has one already. */
  seed(): Promise<void>;
}

/** The settings of a demo: none of them leads to anything outside. */
const demoSettings = (settings: Settings, local: DemoHost): Settings => ({
  ...settings,
  uri: uriOf(local),
  journal: "off",
  pam: "off",
  // Disks of the demo's hosts are larger than those of this one
  overcommit: "allow",
});

/**
 * Makes the demo's world. Gives up root for good if it has it.
 *
 * @throws {SettingsError} if a folder that was named, or the program, cannot be used
 * @throws {LibvirtError} if libvirt is not installed
 */
export async function enterDemo(given: Settings): Promise<Demo> {
  await using stack = new AsyncDisposableStack();
  const { settings, folder } = stack.use(await enterDemoFolder(given));
  const now = () => SYSTEM_CLOCK.now();
  const simulations = new Map(
    DEMO_HOSTS.map((host) => {
      const uri = uriOf(host);
      return [uri, stack.use(new HostSimulation(uri, host, { folder, now }))] as const;
    }),
  );
  closeOutside({ why: "This is a demo: it connects to nothing outside itself" });
  const local = DEMO_HOSTS.find(({ id }) => id === LOCAL_HOST)!;
  const owned = stack.move();
  return {
    settings: demoSettings(settings, local),
    simulationOf: (uri) => simulations.get(uri),
    seed: () => seedDemo(settings.dataDir, now()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
