/** Examples of each verb: where nothing better is written here, made of its places and what it needs. */
import type { CommandName } from "../../lib/contract/mod.ts";
import type { Verb } from "./find.ts";
import { optionsOf, positionalsOf } from "./options.ts";

/** What is worth showing beyond the plain call. */
const WRITTEN: Readonly<Partial<Record<CommandName, readonly string[]>>> = {
  get_vms: [
    "kvm-manager vm list",
    "kvm-manager vm list --watch",
    "kvm-manager vm list -o json | jq '.[].name'",
  ],
  get_vm: ["kvm-manager vm show web1", "kvm-manager vm show web1 -o yaml"],
  create_vm: [
    "kvm-manager vm create web1 --os-variant debian12 --cpu-count 2 --memory-mb 4G --disk-size-gb 40G --network default",
    "kvm-manager vm create web1 --iso-path /isos/debian.iso --firmware uefi",
    "kvm-manager vm create web1 --file web1.yaml",
  ],
  delete_vm: ["kvm-manager vm delete web1", "kvm-manager vm delete web1 --delete-disks --yes"],
  update_vm: ["kvm-manager vm update web1 --cpu.count 4 --memory.current-mb 8G"],
  clone_vm: ["kvm-manager vm clone web1 web2", "kvm-manager vm clone web1 web2 --linked --no-wait"],
  set_vm_xml: [
    "kvm-manager vm set-xml web1 --xml-file web1.xml",
    "kvm-manager vm xml web1 | sed … | kvm-manager vm set-xml web1 --xml -",
  ],
  get_vm_xml: ["kvm-manager vm xml web1", "kvm-manager vm xml web1 --to web1.xml"],
  screenshot_vm: ["kvm-manager vm screenshot web1 --to web1.png"],
  import_vm: ["kvm-manager vm import --xml-file web1.xml"],
  attach_disk: ["kvm-manager vm attach-disk web1 --create.size-gb 20G --bus virtio"],
  send_keys: ["kvm-manager vm keys web1 ctrl alt del"],
  batch_start_vms: ["kvm-manager batch start web1 web2 db1"],
  create_volume: ["kvm-manager volume create default data.qcow2 --capacity-bytes 20G --format qcow2"],
  resize_volume: ["kvm-manager volume resize default data.qcow2 40G"],
  upload_volume: ["kvm-manager volume upload default disk.qcow2 --from disk.qcow2"],
  download_volume: ["kvm-manager volume download default disk.qcow2 --to disk.qcow2"],
  create_network: [
    "kvm-manager network create lab nat --ipv4.address 192.168.50.1/24",
    "kvm-manager network create lab nat --file lab.yaml",
  ],
  add_port_forward: ["kvm-manager forward add default tcp 8080 --vm-id web1 --target-port 80"],
  download_image: [
    "kvm-manager image download --catalog-id debian-12",
    "kvm-manager image download --url https://… --no-wait",
  ],
  create_user: [
    "kvm-manager user add ann --grants operator@group:web --password -",
    "kvm-manager user add ann --password-file secret.txt",
  ],
  create_token: ["kvm-manager token add backup --grants viewer --expires-in-days 90"],
  get_audit_log: ["kvm-manager audit --since 24h --result error", "kvm-manager audit --actor ann -o json"],
  list_jobs: ["kvm-manager job list --open --watch"],
  get_host_stats: ["kvm-manager host stats --watch"],
};

/** Names in examples, by the field they stand for. */
const NAMES: Readonly<Record<string, string>> = {
  vmId: "web1",
  vmIds: "web1 web2",
  pool: "default",
  volume: "disk.qcow2",
  name: "lab",
  userId: "ann",
  tokenId: "backup",
  role: "auditor",
  target: "vda",
  mac: "52:54:00:12:34:56",
  jobId: "3f2a",
  sessionId: "81c4",
  id: "5b1e",
  enabled: "yes",
  autostart: "yes",
};

/** Lines that can be typed. */
export function examplesOf(verb: Verb): readonly string[] {
  const { name, command, words } = verb;
  const written = WRITTEN[name];
  if (written) return written;
  const places = positionalsOf(command).map(({ field, choices }) =>
    choices?.[0] ?? NAMES[field] ?? field.toUpperCase()
  );
  const needed = optionsOf(command).filter(({ required }) => required).map(
    ({ flag, kind, choices, secret, path }) => {
      if (kind === "boolean") return `--${flag}`;
      if (secret) return `--${flag} -`;
      return `--${flag} ${
        kind === "json" ? "'{…}'" : choices?.[0] ?? NAMES[path.at(-1)!] ?? flag.toUpperCase()
      }`;
    },
  );
  const line = ["kvm-manager", ...words, ...places, ...needed].join(" ");
  return command.readOnly ? [line, `${line} -o json`] : [command.destroys ? `${line} --yes` : line];
}
