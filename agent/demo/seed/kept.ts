/** Templates, what is in the bin, and rules of placement. */
import { DAY_MS } from "../../../lib/duration.ts";
import type { PlacementRule } from "../../../lib/placement/rules.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { JsonRows } from "../../store/json_rows.ts";
import { BinRecords } from "../../storage/bin/records.ts";
import { TemplateRecords } from "../../templates/records.ts";
import { demoHost } from "../world/hosts.ts";
import { DEMO_TEMPLATES, templateVolume, templateXml } from "../world/templates.ts";
import { idFor, type Seeding, vmNamed } from "./moment.ts";

/** VMs that were made of templates: name of the VM, of the template. */
const MADE: readonly (readonly [vm: string, template: string])[] = [
  ["staging-web", "debian-12-base"],
  ["ci-runner-01", "ci-runner"],
  ["ci-runner-02", "ci-runner"],
  ["ci-runner-03", "ci-runner"],
];

/** Writes templates. */
export function seedTemplates({ store, now }: Seeding): void {
  const records = new TemplateRecords(store);
  for (const template of DEMO_TEMPLATES) {
    const { name, host, description, cpuCount, memoryGib, gib, usedGib, osVariant, osType, daysAgo } =
      template;
    const createdAt = now - daysAgo * DAY_MS, { pool, volume, path } = templateVolume(template);
    records.put({
      id: idFor("template", name),
      host,
      name,
      description,
      createdAt,
      nextVersion: 2,
      versions: [{
        version: 1,
        createdAt,
        createdBy: "ben",
        source: `${name}-build`,
        cpuCount,
        memoryMb: memoryGib * 1024,
        firmware: "uefi",
        osType,
        osVariant,
        disks: [{
          target: "vda",
          pool,
          volume,
          path,
          capacityBytes: gib * GIB,
          allocationBytes: usedGib * GIB,
        }],
        xml: templateXml(template),
      }],
    });
  }
  for (const [vm, template] of MADE) {
    const { id, ageDays } = vmNamed(vm);
    records.putVm({
      vmId: id,
      templateId: idFor("template", template),
      version: 1,
      linked: false,
      createdAt: now - ageDays * DAY_MS,
    });
  }
}

/** Deleted VMs: name, host, pool, days ago, GiB. */
const DELETED: readonly (readonly [
  name: string,
  host: string,
  pool: string,
  days: number,
  gib: number,
  by: string,
])[] = [
  ["ci-runner-old", "kvm-02", "ssd", 4, 74, "carla"],
  ["test-kafka", "local", "images", 2, 11, "ben"],
];

/** Writes what is in the bin. */
export function seedBin({ store, now }: Seeding): void {
  const records = new BinRecords(store, 7, () => {});
  for (const [name, host, pool, days, gib, by] of DELETED) {
    const id = idFor("bin", name), vmId = idFor("deleted vm", name), deletedAt = now - days * DAY_MS;
    const folder = demoHost(host).pools.find((each) => each.name === pool)!.path;
    const path = `${folder}/${name}.qcow2`;
    records.put({
      id,
      host,
      kind: "vm",
      name,
      vmId,
      deletedAt,
      until: deletedAt + 7 * DAY_MS,
      deletedBy: by,
      files: [{
        path,
        as: `${id}.0`,
        role: "disk",
        file: { dev: 0, ino: 0 },
        pool,
        bytes: gib * GIB,
        backing: [],
        format: "qcow2",
      }],
      lost: [],
      definition: {
        xml: `<domain type='kvm'><name>${name}</name><uuid>${vmId}</uuid><memory unit='GiB'>4</memory>` +
          `<vcpu>2</vcpu><os><type arch='x86_64'>hvm</type></os><devices><disk type='file' device='disk'>` +
          `<driver name='qemu' type='qcow2'/><source file='${path}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`,
        autostart: false,
        snapshots: [],
      },
      found: false,
      state: "kept",
    });
  }
}

/** Writes rules of placement. */
export function seedPlacement({ store }: Seeding): void {
  const rules = new JsonRows<PlacementRule>(store, "placement_rules");
  const put = (name: string, kind: PlacementRule["kind"], tags: string[], hosts: string[]) =>
    rules.put({ id: idFor("rule", name), name, kind, targets: { vmIds: [], tags, groups: [] }, hosts });
  put("Databases never on one host", "apart", ["database"], []);
  put("Branch VMs stay in Munich", "on", ["branch"], ["branch-muc"]);
}
