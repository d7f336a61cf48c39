import assert from "node:assert/strict";
import { forwardChains } from "./chains.ts";
import { examine } from "./checks.ts";
import { familyOf, installs } from "./distribution.ts";
import type { DoctorFacts } from "./facts.ts";
import { HEALTH_AREAS } from "../../contract/health.ts";
import { type HostFact, shellWord, worst } from "./finding.ts";
import { render } from "../../i18n/message.ts";

const NOW = Date.UTC(2026, 5, 1), DAY = 86_400_000, GIB = 2 ** 30;
const pool = {
  name: "default",
  active: true,
  autostart: true,
  path: "/var/lib/libvirt/images",
  capacity: 100 * GIB,
  available: 50 * GIB,
  closedFolder: null,
  readOnly: false,
};
/** A host on which all is well. */
const WELL = {
  libvirt: {
    connected: true,
    uri: "qemu:///system",
    error: null,
    version: "9.0.0",
    qemuVersion: "7.2.0",
    offersKvm: true,
    hasLibrary: true,
    sockets: ["/run/libvirt/libvirt-sock"],
  },
  kvm: {
    device: true,
    groupMayUse: true,
    modules: ["kvm", "kvm_intel"],
    flags: ["vmx"],
    nested: true,
    trouble: null,
    arch: "x86_64",
  },
  qemuImg: true,
  tpm: { folder: "/var/lib/swtpm-localca", foreign: [] as readonly string[] },
  modules: ["tun", "bridge", "vhost_net"] as readonly string[],
  account: { uid: 995, user: "kvm-manager", groups: ["libvirt", "kvm"], existing: ["libvirt", "kvm"] },
  firewall: {
    nft: true,
    ip: true,
    trouble: null as string | null,
    forwardChains: [{ name: "ip filter LIBVIRT_FWI", drops: false }],
    docker: false,
    ufw: false,
    firewalld: false,
    backend: null,
    dnsmasq: true,
  },
  pools: [pool] as (typeof pool | { closedFolder: string | null })[] as never,
  locks: {
    driver: "lockd",
    pending: false,
    fault: null as string | null,
    plugin: true,
    daemon: true,
    automatic: true,
    required: false,
    lockspace: null as string | null,
    lockspaceShared: null,
    leases: 1 as number | null,
    runningVms: 1,
    sharedDisks: [] as unknown[],
    networks: [],
    others: [] as unknown[],
  },
  cluster: {
    installed: true,
    error: null as string | null,
    quorum: true,
    fencing: true,
    maintenance: false,
    nodes: [{ name: "kvm1", online: true, standby: false, maintenance: false, unclean: false }],
    resources: [{
      id: "vm-web",
      vm: "web",
      agent: "ocf:heartbeat:VirtualDomain",
      role: "Started",
      nodes: ["kvm1"],
      managed: true,
      failed: false,
    }],
    autostart: [] as string[],
  },
  clock: { services: ["chronyd"], synchronised: null, now: NOW },
  names: { hostname: "host", error: null as string | null },
  ports: {
    listen: [{ at: "127.0.0.1:8440", holder: null as string | null }],
    ours: false,
    dns: null as string | null,
    dhcp: null,
  },
  state: {
    dataDir: "/var/lib/kvm-manager",
    version: 5 as number | null,
    known: 5,
    damage: null as string | null,
    open: [] as string[],
    free: 100 * GIB,
    savedAt: NOW - DAY as number | null,
    now: NOW,
  },
  certificate: { path: "/c.pem", validUntil: NOW + 300 * DAY, now: NOW },
};
type Part = keyof typeof WELL;

/** The facts of a host with something else in one part. */
function host(part?: Part, change: unknown = {}): DoctorFacts {
  const facts = Object.entries(WELL).map(([name, value]): [string, HostFact<unknown>] => {
    if (name !== part) return [name, { value }];
    const isRecord = typeof value === "object" && !Array.isArray(value) && typeof change === "object" &&
      change !== null;
    return [name, { value: isRecord ? { ...value, ...change } : change }];
  });
  return { family: "debian", systemd: true, ...Object.fromEntries(facts) } as unknown as DoctorFacts;
}

Deno.test("examine() finds nothing on a host where all is well, in every area", () => {
  const findings = examine(host());
  assert.deepEqual(findings.filter(({ level }) => level !== "ok"), []);
  assert.deepEqual([...new Set(findings.map(({ area }) => area))], [...HEALTH_AREAS]);
});

/** A disk that other hosts may reach, and a host that has its storage. */
const NFS_DISK = { vm: "web", target: "vda", storage: "nfs://nas/vms", shareable: false, guarded: true };
const OTHER = { host: "kvm2", driver: "lockd", lockspace: null as string | null, storage: "nfs://nas/vms" };
const JOINED = (joined: string | null) => ({ plugin: true, daemon: true, joined });
const SANLOCK = { driver: "sanlock", lockspace: "/l", hostNumber: 1, sanlock: JOINED("1:/l") };
const OFF = { driver: "none", daemon: false, automatic: false, leases: null };
const NODE = WELL.cluster.nodes[0]!;

/** Part, what is changed in it → level, what is said, what is to be run. */
const CASES: readonly [Part, unknown, "warning" | "problem", RegExp, RegExp?][] = [
  [
    "libvirt",
    { connected: false, error: "no", hasLibrary: false, qemuVersion: null },
    "problem",
    /client library/,
    /^apt-get install -y libvirt/,
  ],
  [
    "libvirt",
    { connected: false, error: "Libvirtd is not running", sockets: [] },
    "problem",
    /does not run/,
    /systemctl enable --now libvirtd/,
  ],
  [
    "libvirt",
    { connected: false, error: "Permission denied. Run as root" },
    "problem",
    /does not let this user in/,
    /usermod .*libvirt/,
  ],
  [
    "libvirt",
    { connected: false, error: "it hangs" },
    "problem",
    /cannot be reached: it hangs/,
    /journalctl -u libvirtd/,
  ],
  ["libvirt", { qemuVersion: null }, "problem", /finds no QEMU/, /qemu-system-x86/],
  [
    "locks",
    { ...OFF, sharedDisks: [NFS_DISK] },
    "warning",
    /reach disks of web \(nfs.*only QEMU's own/,
    /kvm-manager lock-manager lockd/,
  ],
  [
    "locks",
    { ...OFF, sharedDisks: [{ ...NFS_DISK, shareable: true }] },
    "warning",
    /disks of web are shareable/,
  ],
  ["locks", { fault: "qemu.conf, line 3: x", driver: "unknown" }, "problem", /line 3/],
  ["locks", { plugin: false }, "problem", /driver is not installed/, /apt-get install -y libvirt-daemon$/],
  ["locks", { driver: "sanlock", plugin: false }, "problem", /chooses sanlock/, /libvirt-sanlock/],
  ["locks", { driver: "sanlock", daemon: false }, "problem", /sanlock does not run/, /wdmd sanlock/],
  [
    "locks",
    { ...SANLOCK, sanlock: JOINED(null) },
    "problem",
    /has not joined as 1:\/l/,
    /restart sanlock libvirtd/,
  ],
  ["locks", { ...SANLOCK, sanlock: JOINED("2:/l") }, "problem", /has joined as 2:\/l, and .* says 1:\/l/],
  ["locks", { ...SANLOCK, automatic: false, required: true }, "warning", /without <lease> devices does not/],
  [
    "locks",
    { ...SANLOCK, others: [{ ...OTHER, driver: "sanlock", lockspace: "/m" }] },
    "problem",
    /kvm2 has sanlock in \/m, this host sanlock in \/l/,
  ],
  [
    "locks",
    { ...SANLOCK, others: [{ ...OTHER, driver: "sanlock", lockspace: "/l", hostNumber: 1 }] },
    "problem",
    /kvm2 has the number 1 as well/,
    /--host-number NUMBER/,
  ],
  [
    "locks",
    { ...SANLOCK, lockspaceShared: false, sharedDisks: [NFS_DISK] },
    "warning",
    /leases are in \/l, which is this host's own/,
    /lock-manager sanlock --lockspace/,
  ],
  [
    "locks",
    { ...SANLOCK, sharedDisks: [{ ...NFS_DISK, guarded: false }] },
    "warning",
    /sanlock gives no leases for network disks/,
  ],
  ["locks", { daemon: false }, "problem", /virtlockd does not run: no VM/, /virtlockd\.socket/],
  ["locks", { daemon: false, lockspace: "/l" }, "problem", /and libvirt cannot be started/],
  ["locks", { pending: true }, "warning", /was started before/, /restart libvirtd/],
  ["locks", { automatic: false, required: true }, "warning", /without <lease> devices does not start/],
  ["locks", { automatic: false }, "warning", /are not guarded/],
  ["locks", { runningVms: 0 }, "problem", /holds 1 leases although no VM runs/, /restart virtlockd libvirtd/],
  [
    "locks",
    { others: [{ ...OTHER, driver: "sanlock" }] },
    "problem",
    /kvm2 has sanlock, this host virtlockd, and both/,
  ],
  ["locks", { others: [{ ...OTHER, lockspace: "/l" }] }, "problem", /kvm2 has virtlockd in \/l/],
  [
    "locks",
    { ...OFF, others: [{ ...OTHER, lockspace: "/l" }] },
    "problem",
    /no lock manager, and both/,
    /--lockspace \/l/,
  ],
  [
    "locks",
    { lockspace: "/l", lockspaceShared: false, sharedDisks: [NFS_DISK] },
    "warning",
    /this host's own/,
  ],
  [
    "locks",
    { sharedDisks: [{ ...NFS_DISK, storage: "iSCSI, Fibre Channel" }] },
    "warning",
    /in this host's \/dev/,
  ],
  [
    "locks",
    { sharedDisks: [{ ...NFS_DISK, guarded: false }] },
    "warning",
    /no leases for network disks \(web\)/,
  ],
  ["cluster", { quorum: false }, "problem", /no quorum/, /crm_mon/],
  ["cluster", { fencing: false }, "problem", /has no fencing/, /stonith-enabled/],
  ["cluster", { nodes: [{ ...NODE, online: false, unclean: true }] }, "problem", /kvm1 must be fenced/],
  ["cluster", { nodes: [{ ...NODE, online: false }] }, "warning", /are off: kvm1/],
  [
    "cluster",
    { resources: [{ ...WELL.cluster.resources[0]!, failed: true }] },
    "warning",
    /have failed: vm-web/,
  ],
  ["cluster", { autostart: ["web"] }, "warning", /manages web, and libvirt starts it/, /--disable web/],
  ["libvirt", { offersKvm: false }, "warning", /offers no KVM although/, /restart libvirtd/],
  ["kvm", { device: false, flags: [], modules: [] }, "problem", /offers no virtualization/],
  [
    "kvm",
    { device: false, modules: [], flags: ["svm"] },
    "problem",
    /\/dev\/kvm is missing/,
    /modprobe kvm_amd/,
  ],
  ["kvm", { trouble: "guests under it hang" }, "problem", /KVM cannot be used: guests under it hang/],
  ["kvm", { groupMayUse: false }, "problem", /only root may use/, /chgrp kvm \/dev\/kvm/],
  ["qemuImg", false, "warning", /qemu-img is missing/, /qemu-utils/],
  [
    "tpm",
    { foreign: ["/var/lib/swtpm-localca/signkey.pem"] },
    "warning",
    /swtpm may not use its own certificates/,
    /^chown --recursive --reference=\/var\/lib\/swtpm-localca \/var\/lib\/swtpm-localca$/,
  ],
  ["modules", ["tun", "bridge"], "warning", /vhost_net is not loaded/, /modprobe vhost_net/],
  ["account", { groups: ["kvm"] }, "warning", /not in the group libvirt/, /usermod .* libvirt kvm-manager/],
  ["firewall", { nft: false }, "warning", /nft is missing/, /nftables/],
  ["firewall", { trouble: "Operation not permitted" }, "warning", /does not work: Operation not permitted/],
  ["firewall", { dnsmasq: false }, "problem", /dnsmasq is missing/, /dnsmasq-base/],
  [
    "firewall",
    { docker: true, forwardChains: [{ name: "ip filter FORWARD", drops: true }] },
    "warning",
    /Docker drops/,
    /DOCKER-USER/,
  ],
  [
    "firewall",
    { ufw: true, forwardChains: [{ name: "ip filter FORWARD", drops: true }] },
    "warning",
    /ufw drops/,
    /ufw route allow/,
  ],
  [
    "firewall",
    { forwardChains: [{ name: "inet mine forward", drops: true }] },
    "warning",
    /firewall drops .*inet mine forward/,
  ],
  ["pools", null, "warning", /unknown while libvirt/],
  ["pools", [], "problem", /no storage pool/, /pool-define-as default/],
  ["pools", [{ ...pool, active: false }], "warning", /not active/, /pool-start default/],
  [
    "pools",
    [{ ...pool, closedFolder: "/srv/my disks" }],
    "problem",
    /may not enter/,
    /chmod o\+x '\/srv\/my disks'/,
  ],
  ["pools", [{ ...pool, available: GIB }], "warning", /nearly full: 1 GiB of 100 GiB/],
  ["pools", [{ ...pool, readOnly: true }], "warning", /is read-only: its folder .* is mounted read-only/],
  ["pools", [{ ...pool, autostart: false }], "warning", /not started with the host/, /pool-autostart/],
  ["clock", { now: 0 }, "problem", /years behind/],
  ["clock", { services: [] }, "warning", /no time synchronisation/, /chrony/],
  ["clock", { services: ["systemd-timesyn"], synchronised: false }, "warning", /not synchronised/],
  ["names", { error: "ENOTFOUND" }, "warning", /cannot be resolved \(ENOTFOUND\)/, /\/etc\/hosts/],
  [
    "ports",
    { listen: [{ at: "0.0.0.0:8440", holder: "nginx (process 3)" }] },
    "problem",
    /nginx \(process 3\) has the port/,
  ],
  ["ports", { dns: "named (process 4)" }, "warning", /named .* DNS at every address \(port 53\)/],
  ["state", { damage: "malformed" }, "problem", /damaged: malformed/, /restore-state FILE/],
  ["state", { version: 6 }, "problem", /newer than this program/],
  ["state", { open: ["/x.db"] }, "problem", /others may read \/x\.db/, /chmod -R go-rwx/],
  ["state", { free: 1000 }, "warning", /only .* are free/],
  ["state", { savedAt: null }, "warning", /was never saved/, /backup-state/],
  ["state", { savedAt: NOW - 90 * DAY }, "warning", /was saved 90 days ago/],
  ["certificate", { validUntil: NOW - 2 * DAY }, "problem", /ended 2 days ago/],
  ["certificate", { validUntil: NOW + 5 * DAY }, "warning", /ends in 5 days/],
];

for (const [part, change, level, what, command] of CASES) {
  Deno.test(`examine() tells: ${what.source}`, () => {
    const findings = examine(host(part, change)).filter((each) => each.level !== "ok");
    const finding = findings.find((each) => what.test(render(each.what)));
    assert.ok(finding, JSON.stringify(findings));
    assert.equal(finding.level, level);
    assert.ok(render(finding.advice ?? "").length > 0, "it says what to do");
    if (command) assert.match(finding.command ?? "", command);
  });
}

Deno.test("examine() takes what it does not know for no good news", () => {
  for (const part of Object.keys(WELL)) {
    const facts = { ...host(), [part]: { unknown: "may not be read" } };
    const findings = examine(facts);
    assert.ok(
      findings.some(({ level, what }) => level === "warning" && render(what).includes("may not be read")),
      part,
    );
  }
});

Deno.test("examine() needs no database, no certificate and no groups where there are none yet", () => {
  assert.equal(worst(examine(host("state", { version: null, savedAt: null }))), "ok");
  assert.equal(worst(examine(host("certificate", null))), "ok");
  assert.equal(worst(examine(host("account", { uid: 0, groups: [] }))), "ok");
  assert.equal(
    worst(
      examine(host("ports", { listen: [{ at: "127.0.0.1:1", holder: "deno (process 1)" }], ours: true })),
    ),
    "ok",
  );
});

Deno.test("examine() says nothing of locks and clusters where they do not matter", () => {
  const of = (part: "locks" | "cluster", change: unknown) =>
    examine(host(part, change)).filter(({ area }) => area === part).map(({ level, what }) =>
      `${level}: ${render(what)}`
    );
  assert.deepEqual(of("locks", { ...OFF, others: [{ ...OTHER, driver: "lockd", storage: null }] }), [
    "ok: no lock manager is on, and no VM has a disk that other hosts are known to reach",
  ]);
  assert.deepEqual(of("locks", null), []);
  assert.deepEqual(of("cluster", { installed: false }), []);
  assert.deepEqual(of("cluster", { error: "Not connected" }), [
    "ok: Pacemaker is installed, and tells nothing of a cluster: Not connected",
  ]);
  assert.match(of("cluster", {})[0]!, /^ok: .*it manages web: start, stop and move them there/);
});

Deno.test("familyOf() and installs() know the distributions' names", () => {
  const families = {
    'ID=debian\nVERSION_ID="12"': "debian",
    'ID=linuxmint\nID_LIKE="ubuntu debian"': "debian",
    'ID="rocky"\nID_LIKE="rhel centos fedora"': "fedora",
    'ID="opensuse-leap"\nID_LIKE="suse opensuse"': "suse",
    "ID=arch": "arch",
    "ID=constructor": "other",
    "": "other",
  };
  for (const [release, family] of Object.entries(families)) assert.equal(familyOf(release), family, release);
  assert.equal(installs("dnsmasq", "fedora"), "dnf install -y dnsmasq");
  assert.equal(installs("dnsmasq", "other"), undefined);
});

Deno.test("forwardChains() reads nft's list", () => {
  const chain = (name: string, more: object) => ({ chain: { family: "ip", table: "filter", name, ...more } });
  const json = JSON.stringify({
    nftables: [
      { metainfo: {} },
      chain("FORWARD", { hook: "forward", policy: "drop" }),
      chain("INPUT", { hook: "input", policy: "drop" }),
      chain("mine", { hook: "forward", policy: "accept" }),
    ],
  });
  assert.deepEqual(forwardChains(json), [
    { name: "ip filter FORWARD", drops: true },
    { name: "ip filter mine", drops: false },
  ]);
});

Deno.test("shellWord() quotes what a shell would take apart", () => {
  assert.deepEqual(["a/b", "a b", "it's", "$(x)"].map(shellWord), ["a/b", "'a b'", `'it'\\''s'`, "'$(x)'"]);
});
