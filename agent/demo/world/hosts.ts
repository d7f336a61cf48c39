/** The hosts of the demo: three machines of different makes. */
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";

/** A pool of a host. Sizes in GiB. */
export interface DemoPool {
  readonly name: string;
  readonly type: "dir" | "logical" | "netfs";
  readonly path: string;
  readonly capacityGib: number;
  /** Space used by files that are no volumes. */
  readonly otherGib: number;
  /** Images of operating systems and of media in it: name, size in MiB. */
  readonly media?: readonly (readonly [name: string, mib: number])[];
}

/** A network of a host. */
export interface DemoNetwork {
  readonly name: string;
  readonly mode: "nat" | "route" | "isolated" | "bridge";
  readonly bridge: string;
  /** The first three numbers of its IPv4 subnet; missing for a bridge of the host. */
  readonly subnet?: string;
}

export interface DemoHost {
  readonly id: string;
  readonly label: string;
  readonly hostname: string;
  readonly cpu: { readonly name: string; readonly libvirtModel: string; readonly vendor: "AMD" | "Intel" };
  readonly cores: number;
  readonly threads: number;
  readonly memoryGib: number;
  /** Days since it was added. */
  readonly addedDaysAgo: number;
  readonly pools: readonly DemoPool[];
  readonly networks: readonly DemoNetwork[];
}

const IMAGES = "/var/lib/libvirt/images", MEDIA = "/var/lib/libvirt/media";

export const DEMO_HOSTS: readonly DemoHost[] = [
  {
    id: LOCAL_HOST,
    label: "kvm-01",
    hostname: "kvm-01",
    cpu: { name: "AMD EPYC 9354P 32-Core Processor", libvirtModel: "EPYC-Milan", vendor: "AMD" },
    cores: 32,
    threads: 64,
    memoryGib: 256,
    addedDaysAgo: 412,
    pools: [
      { name: "nvme", type: "logical", path: "/dev/vg-nvme", capacityGib: 3576, otherGib: 0 },
      { name: "images", type: "dir", path: IMAGES, capacityGib: 1788, otherGib: 64 },
      {
        name: "media",
        type: "dir",
        path: MEDIA,
        capacityGib: 200,
        otherGib: 0,
        media: [
          ["debian-12-generic-amd64.qcow2", 437],
          ["ubuntu-24.04-server-cloudimg-amd64.img", 586],
          ["debian-12.11.0-amd64-netinst.iso", 670],
          ["windows-server-2022-eval.iso", 4821],
          ["virtio-win-0.1.271.iso", 693],
        ],
      },
    ],
    networks: [
      { name: "office", mode: "bridge", bridge: "br0" },
      { name: "dmz", mode: "route", bridge: "virbr1", subnet: "10.20.0" },
      { name: "backend", mode: "isolated", bridge: "virbr2", subnet: "10.30.0" },
      { name: "lab", mode: "nat", bridge: "virbr0", subnet: "192.168.122" },
    ],
  },
  {
    id: "kvm-02",
    label: "kvm-02",
    hostname: "kvm-02",
    cpu: { name: "Intel Xeon Gold 6338N", libvirtModel: "Icelake-Server", vendor: "Intel" },
    cores: 64,
    threads: 128,
    memoryGib: 384,
    addedDaysAgo: 280,
    pools: [
      { name: "ssd", type: "dir", path: IMAGES, capacityGib: 7152, otherGib: 210 },
      { name: "archive", type: "netfs", path: "/srv/archive", capacityGib: 20_480, otherGib: 13_900 },
    ],
    networks: [
      { name: "office", mode: "bridge", bridge: "br0" },
      { name: "backend", mode: "isolated", bridge: "virbr2", subnet: "10.31.0" },
      { name: "ci", mode: "nat", bridge: "virbr3", subnet: "10.40.0" },
    ],
  },
  {
    id: "branch-muc",
    label: "Branch office Munich",
    hostname: "kvm-muc",
    cpu: { name: "13th Gen Intel Core i5-13500T", libvirtModel: "Skylake-Client", vendor: "Intel" },
    cores: 14,
    threads: 20,
    memoryGib: 64,
    addedDaysAgo: 96,
    pools: [{ name: "images", type: "dir", path: IMAGES, capacityGib: 931, otherGib: 38 }],
    networks: [
      { name: "office", mode: "bridge", bridge: "br0" },
      { name: "default", mode: "nat", bridge: "virbr0", subnet: "192.168.123" },
    ],
  },
];

/** libvirt's address of a host: the test driver, at a place that no file has. */
export const uriOf = ({ hostname }: DemoHost): string => `test:///${hostname}`;

/** The host with an id. */
export function demoHost(id: string): DemoHost {
  const found = DEMO_HOSTS.find((host) => host.id === id);
  if (found === undefined) throw new Error(`the demo has no host ${id}`);
  return found;
}
