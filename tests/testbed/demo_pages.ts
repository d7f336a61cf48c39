/** The demo as tests find it: its VMs, and its pages that have content. */
import { DESTINATIONS } from "../../components/shell/navigation.ts";
import type { TestServer } from "./server.ts";
import { until } from "./wait.ts";

/** Pages below those of the navigation; `{vm}` stands for the id of a VM that runs. */
const BELOW = [
  "/vms/{vm}",
  "/vms/{vm}/console",
  "/vms/{vm}/serial",
  "/vms/{vm}/monitoring",
  "/vms/{vm}/snapshots",
  "/vms/{vm}/backups",
  "/vms/{vm}/guest",
  "/vms/{vm}/hardware",
  "/vms/{vm}/disks",
  "/vms/{vm}/network",
  "/vms/{vm}/xml",
  "/networks/topology",
  "/networks/lab",
  "/storage/images",
  "/alerts/history",
  "/monitoring",
  "/tasks",
  "/settings/users",
  "/settings/hosts",
  "/settings/audit",
  "/settings/health",
  "/help",
  "/help/demo",
];

/** The paths of the navigation's pages, of those below them, and of the other hosts. */
export async function demoPages(server: TestServer): Promise<string[]> {
  const { id } = (await demoVms(server)).find(({ name }) => name === "git-01")!;
  const all = [...DESTINATIONS.map(({ href }) => href), ...BELOW.map((path) => path.replace("{vm}", id))];
  return [...all, ...["kvm-02", "branch-muc"].map((host) => `/hosts/${host}/`)];
}

export interface DemoVmShown {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly state: string;
  readonly virtType: string;
}

/** The VMs of a demo: its hosts connect after the page is there. */
export async function demoVms(server: TestServer): Promise<DemoVmShown[]> {
  return await until("the VMs of three hosts", async () => {
    const found = await server.call("get_vms") as DemoVmShown[];
    return found.length >= 20 && new Set(found.map(({ host }) => host)).size === 3 && found;
  });
}
