/** Projects of the demo, and which VMs are in them. */
import { DAY_MS } from "../../../lib/duration.ts";
import type { StoredProject, StoredVm } from "../../projects/records.ts";
import { JsonRows } from "../../store/json_rows.ts";
import { idOf } from "../world/node_xml.ts";
import { DEMO_VMS } from "../world/vms.ts";
import { idFor, type Seeding } from "./moment.ts";

interface Row extends Pick<StoredProject, "description" | "quota" | "defaults"> {
  readonly key: string;
  readonly name: string;
  readonly daysAgo: number;
}

const ROWS: readonly Row[] = [
  {
    key: "shop",
    name: "Shop",
    description: "What customers see, and its databases",
    quota: { vms: 10, cpus: 40, memoryMb: 128 * 1024, diskGb: 2000 },
    defaults: { network: "backend", tags: ["prod"] },
    daysAgo: 300,
  },
  {
    key: "office",
    name: "Office",
    description: "Mail, files, directory and desktops",
    quota: { vms: 20, cpus: 40, memoryMb: 96 * 1024, diskGb: 3000 },
    defaults: { network: "office" },
    daysAgo: 300,
  },
  {
    key: "dev",
    name: "Development",
    description: "Builds and tests. VMs end after 60 days unless somebody keeps them.",
    quota: { vms: 8, cpus: 48, memoryMb: 96 * 1024, diskGb: 1000 },
    defaults: { cpuCount: 2, memoryMb: 4096, network: "ci", tags: ["dev"], days: 60 },
    daysAgo: 180,
  },
];

/** VMs with an end: days until then. */
const ENDS: Readonly<Record<string, number>> = { "staging-web": 5, "ci-runner-03": 56 };

/** Writes them. */
export function seedProjects({ store, now }: Seeding): void {
  const projects = new JsonRows<StoredProject>(store, "projects");
  const vms = new JsonRows<StoredVm>(store, "project_vms");
  for (const { key, daysAgo, ...row } of ROWS) {
    const createdAt = now - daysAgo * DAY_MS;
    projects.put({ id: idFor("project", key), pools: [], networks: [], images: [], createdAt, ...row });
  }
  for (const vm of DEMO_VMS) {
    if (vm.project === undefined) continue;
    const end = ENDS[vm.name];
    vms.put({
      id: idOf(vm),
      name: vm.name,
      project: idFor("project", vm.project),
      size: {
        cpus: vm.vcpus,
        memoryMb: vm.memoryGib * 1024,
        diskGb: vm.disks.reduce((sum, { gib }) => sum + gib, 0),
      },
      endsAt: end === undefined ? null : now + end * DAY_MS,
      told: end !== undefined && end <= 7 ? "week" : null,
    });
  }
}
