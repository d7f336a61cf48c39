/** Pages of the demo that have content. */
import { DESTINATIONS } from "../../components/shell/navigation.ts";
import type { TestServer } from "./server.ts";

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
  const vms = await server.call("get_vms") as { readonly id: string; readonly name: string }[];
  const { id } = vms.find(({ name }) => name === "git-01")!;
  const all = [...DESTINATIONS.map(({ href }) => href), ...BELOW.map((path) => path.replace("{vm}", id))];
  return [...all, ...["kvm-02", "branch-muc"].map((host) => `/hosts/${host}/`)];
}
