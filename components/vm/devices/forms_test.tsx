/** The forms about disks and network cards, as they are drawn, posted and read: what they ask the API for. */
import assert from "node:assert/strict";
import { render } from "preact-render-to-string";
import type { ComponentChildren } from "preact";
import { COMMANDS, type DeviceOptions, type VmDisk, type VmNic } from "../../../lib/contract/mod.ts";
import { unescapeHtml } from "../../../lib/text/html.ts";
import { diskTexts } from "../../../lib/text/disk_texts.ts";
import { formInput } from "../../../lib/text/form_input.ts";
import { ContractFields } from "../../kit/ContractField.tsx";
import { NewDiskFields, SizeFields } from "./DiskFields.tsx";
import { TUNED, TUNED_DRIVE, UPDATE_DISK } from "./disk_fields.const.ts";
import { DiskLimitFields } from "./LimitFields.tsx";
import { NicFields } from "./NicFields.tsx";

type Name = "attach_disk" | "update_disk" | "resize_disk" | "attach_nic" | "update_nic";

/** The attributes of a tag. */
const attributesOf = (tag: string) =>
  new Map(
    [...tag.matchAll(/ ([\w-]+)(?:="([^"]*)")?/g)].map((
      [, name, value = ""],
    ) => [name!, unescapeHtml(value)]),
  );

/** Fields that a browser posts of an untouched form. */
function untouched(html: string): [name: string, value: string][] {
  const posted: [string, string][] = [];
  for (const [tag] of html.matchAll(/<input\b[^>]*>|<select\b[^>]*>.*?<\/select>/gs)) {
    const own = attributesOf(tag.slice(0, tag.indexOf(">"))), type = own.get("type");
    const name = own.get("name") ?? assert.fail(`no name: ${tag}`);
    if (tag.startsWith("<select")) {
      const options = [...tag.matchAll(/<option\b([^>]*)>/g)].map(([, each]) => attributesOf(each!));
      const chosen = options.find((each) => each.has("selected")) ?? options[0];
      posted.push([name, chosen?.get("value") ?? assert.fail(`nothing to choose: ${tag}`)]);
    } else if ((type !== "checkbox" && type !== "radio") || own.has("checked")) {
      posted.push([name, own.get("value") ?? ""]);
    }
  }
  return posted;
}

/** Input of a form once some of its fields were filled in; null unticks a checkbox. */
function asked(command: Name, fields: ComponentChildren, typed: Record<string, string | null> = {}): unknown {
  const html = render(<form>{fields}</form>);
  const names = new Set([...html.matchAll(/ name="([^"]*)"/g)].map(([, name]) => unescapeHtml(name!)));
  for (const name of Object.keys(typed)) assert.ok(names.has(name), `the form has no ${name}`);
  // Of a box and the hidden field that stands for an empty one, the box goes.
  const isBox = (name: string) => html.includes(`type="checkbox" name="${name}"`);
  const rest = untouched(html).filter(([name, value]) =>
    typed[name] === undefined || (isBox(name) && value === "no")
  );
  const filled = Object.entries(typed).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const]
  );
  return formInput(COMMANDS[command], [...rest, ...filled]);
}

const OPTIONS = {
  pools: [{
    name: "default",
    availableBytes: 2 ** 40,
    volumes: [
      { name: "v", path: "/p/v", capacityBytes: 1, usedBy: [], format: "raw" },
      { name: "m.iso", path: "/p/m.iso", capacityBytes: 1, usedBy: [], format: "iso" },
    ],
  }],
  networks: [{ name: "a", active: true }, { name: "b & c", active: true }],
  hostInterfaces: [{ name: "br:0", bridge: true }, { name: "eno1", bridge: false }],
  filters: ["clean-traffic", "f"],
  mayDeleteVolumes: true,
  mayLoosenFilters: true,
  userNetworking: [],
  shareDrivers: [],
} satisfies DeviceOptions;

const common = { options: OPTIONS, errorOf: () => undefined, running: true, persistent: true };
const newDisk = <NewDiskFields {...common} isDrive={false} />;

Deno.test("a new disk is made of the fields about new disks alone", () => {
  const driver = {
    cache: "default",
    io: "default",
    discard: "default",
    detectZeroes: "default",
    discardNoUnref: "default",
  };
  const create = { sizeGb: 20, pool: "default", format: "qcow2" };
  assert.deepEqual(asked("attach_disk", newDisk), { create, ...driver });
  assert.deepEqual(
    asked("attach_disk", newDisk, {
      "path@existing": "/a.raw",
      bus: "scsi",
      "discard@create,existing": "unmap",
      "serial@create,existing": "A1",
      "totalBytesSec:M@create,existing": "1,5",
      ":where": "live=no",
    }),
    {
      create,
      ...driver,
      bus: "scsi",
      discard: "unmap",
      serial: "A1",
      totalBytesSec: 1.5 * 2 ** 20,
      live: false,
    },
  );
});

Deno.test("a disk of an image takes the path that is typed before what is chosen, a drive its medium or none", () => {
  const of = (html: string, typed: Record<string, string | null>) =>
    asked("attach_disk", newDisk, { ":part": html, ...typed });
  const path = (input: unknown) => (input as { path?: string; create?: unknown });
  assert.deepEqual(
    [path(of("existing", { "path@existing": "default/v" })).path, path(of("existing", {})).create],
    ["default/v", undefined],
  );
  const both = [[":part", "existing"], ["path@existing", "default/v"], ["path@existing", "/a.raw"]] as const;
  assert.deepEqual(formInput(COMMANDS.attach_disk, both), { path: "/a.raw" });
  assert.deepEqual(of("cdrom", { bus: "sata", ":where": "persistent=no", "path@cdrom": "" }), {
    device: "cdrom",
    bus: "sata",
    persistent: false,
  });
  assert.deepEqual(of("cdrom", { "path@cdrom": "default/m.iso" }), {
    device: "cdrom",
    path: "default/m.iso",
  });
});

Deno.test("a size that is no size is refused by its name", () => {
  const disk = { target: "vda", capacityBytes: 2 ** 30 } as VmDisk;
  const size = <SizeFields disk={disk} errorOf={() => undefined} />;
  assert.deepEqual(asked("resize_disk", size), { sizeGb: 2 });
  assert.throws(() => asked("resize_disk", size, { sizeGb: "much" }), /sizeGb must be a size/);
});

/** The form that changes a disk. */
function changes(disk: Partial<VmDisk>, fields: typeof TUNED = TUNED) {
  const form = { of: UPDATE_DISK, texts: diskTexts };
  return (
    <>
      <ContractFields form={form} fields={fields} values={{ bootOrder: 0, ...disk }} isChange />
      <DiskLimitFields form={form} limits={disk} />
    </>
  );
}

Deno.test("a disk is changed only in what is not as it was", () => {
  const disk = {
    cache: "odd",
    serial: "A1",
    readOnly: true,
    shareable: false,
    readBytesSec: 1e6,
    totalIopsSec: 500,
  };
  assert.deepEqual(
    asked("update_disk", changes(disk)),
    {},
    "a word that we do not know, a limit that is rounded",
  );
  assert.deepEqual(
    asked("update_disk", changes(disk), {
      cache: "none",
      serial: "",
      readOnly: null,
      shareable: "yes",
      totalIopsSec: "",
      "writeBytesSec:M": "5",
    }),
    {
      cache: "none",
      serial: "",
      readOnly: false,
      shareable: true,
      totalIopsSec: 0,
      writeBytesSec: 5 * 2 ** 20,
    },
  );
  assert.deepEqual(asked("update_disk", changes({}, TUNED_DRIVE), { cache: "none", bootOrder: "2" }), {
    cache: "none",
    bootOrder: 2,
  });
  assert.doesNotMatch(render(changes({}, TUNED_DRIVE)), /name="(readOnly|serial|discard)"/);
});

const NIC = {
  mac: "52:54:00:00:00:01",
  type: "network",
  network: "a",
  model: "virtio",
  filter: "f",
  filterAddresses: ["10.0.0.1"],
  pending: [],
  place: "both",
  ipAddresses: [],
  linkUp: true,
  inboundAverage: 1000,
} as VmNic;
const card = (nic: VmNic | undefined) => <NicFields {...common} {...(nic && { nic })} />;

Deno.test("a card is changed only in what is not as it was", () => {
  assert.deepEqual(asked("update_nic", card(NIC)), {});
  assert.deepEqual(
    asked("update_nic", card(NIC), {
      ":plug": "bridge=br%3A0",
      filter: "",
      model: "e1000e",
      newMac: "52:54:00:00:00:02",
      filterAddresses: "10.0.0.1, fd00::1",
      "inboundAverage:Mbit": "",
    }),
    {
      bridge: "br:0",
      filter: "",
      model: "e1000e",
      newMac: "52:54:00:00:00:02",
      filterAddresses: ["10.0.0.1", "fd00::1"],
      inboundAverage: 0,
    },
  );
  const other = { ...NIC, model: "igb", type: "hostdev", network: "" };
  assert.deepEqual(asked("update_nic", card(other)), {}, "what we do not know stays");
});

Deno.test("the one tick is a filter, and its going none", () => {
  const spoofing = ":antiSpoofing", clean = { ...NIC, filter: "clean-traffic" };
  assert.deepEqual(asked("update_nic", card(NIC), { [spoofing]: "filter=clean-traffic" }), {
    filter: "clean-traffic",
  });
  assert.deepEqual(asked("update_nic", card(clean)), {});
  assert.deepEqual(asked("update_nic", card(clean), { [spoofing]: null }), { filter: "" });
  assert.deepEqual(asked("update_nic", card(clean), { [spoofing]: null, filter: "f" }), { filter: "f" });
});

Deno.test("a new card is plugged in where it says, with its cable or without", () => {
  assert.deepEqual(asked("attach_nic", card(undefined)), { network: "a", model: "virtio", linkUp: true });
  assert.deepEqual(
    asked("attach_nic", card(undefined), {
      ":plug": "network=b+%26+c",
      linkUp: null,
      [":antiSpoofing"]: "filter=clean-traffic",
      "outboundAverage:Mbit": "0.0001",
    }),
    { network: "b & c", model: "virtio", linkUp: false, filter: "clean-traffic", outboundAverage: 1 },
  );
  assert.match(render(card(undefined)), /value="network=b\+%26\+c"/);
});
