/** Judges of what is around VMs: firewall, storage, names, ports, the clock. */
import { formatBytes } from "../../text/quantity.ts";
import { installs } from "./distribution.ts";
import type { DoctorFacts, PoolFacts } from "./facts.ts";
import { type Finding, judged, needsAction, passed, shellWord } from "./finding.ts";
import { message } from "../../i18n/message.ts";

/** The packet filter: there, working, and not cutting guests off. */
export function judgeFirewall({ firewall, family }: DoctorFacts): Finding[] {
  return judged(firewall, "the firewall", (facts) => {
    const findings: Finding[] = [];
    if (!facts.nft || !facts.ip) {
      findings.push(
        needsAction(
          "warning",
          facts.nft
            ? message`ip is missing: ports cannot be forwarded to VMs`
            : message`nft is missing: ports cannot be forwarded to VMs`,
          "Install it.",
          installs("nftables", family),
        ),
      );
    } else if (facts.trouble !== null) {
      findings.push(
        needsAction(
          "warning",
          message`nftables does not work: ${facts.trouble}`,
          "Ports cannot be forwarded until it does. Run this as root to be sure.",
        ),
      );
    }
    if (!facts.dnsmasq) {
      findings.push(
        needsAction(
          "problem",
          "dnsmasq is missing: libvirt's networks with DHCP cannot start",
          "Install it.",
          installs("dnsmasq", family),
        ),
      );
    }
    const drops = facts.forwardChains.filter((chain) => chain.drops);
    for (const { name } of drops) {
      if (facts.docker && /^ip6? filter FORWARD$/.test(name)) {
        findings.push(
          needsAction(
            "warning",
            message`Docker drops what is forwarded (${name}): VMs on bridges and routed networks are cut off`,
            "Let them through, before Docker's own rules; keep it in your firewall's settings.",
            "iptables -I DOCKER-USER -i virbr+ -j ACCEPT && iptables -I DOCKER-USER -o virbr+ -j ACCEPT",
          ),
        );
      } else if (facts.ufw && /^ip6? filter (FORWARD|ufw)/.test(name)) {
        findings.push(
          needsAction(
            "warning",
            message`ufw drops what is forwarded (${name}): VMs are cut off`,
            "Let libvirt's networks through.",
            "ufw route allow in on virbr0 && ufw route allow out on virbr0",
          ),
        );
      } else if (!/libvirt|kvm_manager/.test(name)) {
        findings.push(
          needsAction(
            "warning",
            message`the firewall drops what is forwarded (${name}): VMs may be cut off`,
            "Let libvirt's bridges (virbr*) through there.",
          ),
        );
      }
    }
    if (findings.length > 0) return findings;
    const backend = facts.backend ?? message`libvirt's own choice`;
    return [
      passed(
        facts.firewalld
          ? message`nftables works, nothing drops what is forwarded, firewalld runs; libvirt's backend: ${backend}`
          : message`nftables works, nothing drops what is forwarded; libvirt's backend: ${backend}`,
      ),
    ];
  });
}

/** Bytes below which a pool is nearly full, where it is also below that share. */
const LITTLE = 10 * 2 ** 30, LITTLE_SHARE = 0.1;

function judgePool(
  { name, active, autostart, path, capacity, available, closedFolder, readOnly }: PoolFacts,
): Finding[] {
  const of = `pool ${name}`;
  if (!active) {
    return [
      needsAction(
        "warning",
        message`${of} is not active`,
        "Start it.",
        `virsh pool-start ${shellWord(name)}`,
      ),
    ];
  }
  const findings: Finding[] = [];
  if (closedFolder !== null) {
    findings.push(
      needsAction(
        "problem",
        message`${of}: QEMU may not enter ${closedFolder}, so no VM can use its disks`,
        "Let it through.",
        `chmod o+x ${shellWord(closedFolder)}`,
      ),
    );
  }
  if (readOnly) {
    findings.push(
      needsAction(
        "warning",
        message`${of} is read-only: its folder ${path} is mounted read-only`,
        "Mount it writable, unless nothing is to be made, changed or deleted in it.",
      ),
    );
  } else if (
    capacity !== null && available !== null && available < LITTLE && available < capacity * LITTLE_SHARE
  ) {
    findings.push(
      needsAction(
        "warning",
        message`${of} is nearly full: ${formatBytes(available)} of ${formatBytes(capacity)} are free`,
        message`Delete unneeded files, or make room in ${
          path ?? "it"
        }. A VM whose disk cannot grow is paused.`,
      ),
    );
  }
  if (name === "default" && !autostart) {
    findings.push(
      needsAction(
        "warning",
        message`${of} is not started with the host`,
        "Have it started.",
        "virsh pool-autostart default",
      ),
    );
  }
  return findings.length > 0 ? findings : [
    passed(
      available === null
        ? message`${of}: QEMU can use it`
        : message`${of}: ${formatBytes(available)} free, QEMU can use it`,
    ),
  ];
}

/** Checks the storage pools for disks. */
export function judgeStorage({ pools }: DoctorFacts): Finding[] {
  return judged(pools, "storage", (list) => {
    if (list === null) {
      return [
        needsAction("warning", "storage is unknown while libvirt does not answer", "Mend libvirt first."),
      ];
    }
    if (list.length === 0) {
      return [
        needsAction(
          "problem",
          "there is no storage pool: no VM can be given a disk",
          "Make one.",
          "virsh pool-define-as default dir --target /var/lib/libvirt/images && virsh pool-build default && " +
            "virsh pool-start default && virsh pool-autostart default",
        ),
      ];
    }
    return list.flatMap(judgePool);
  });
}

/** Clocks before this are wrong: the program is younger. */
const PAST = Date.UTC(2025, 0, 1);

/** The clock: sessions, one-time codes and certificates depend on it. */
export function judgeClock({ clock, family }: DoctorFacts): Finding[] {
  return judged(clock, "the clock", ({ services, synchronised, now }) => {
    if (now < PAST) {
      return [
        needsAction(
          "problem",
          "the clock is years behind: one-time codes and certificates do not work",
          "Set it, and keep it set.",
          installs("chrony", family),
        ),
      ];
    }
    if (services.length === 0) {
      return [
        needsAction(
          "warning",
          "no time synchronisation: one-time codes fail once it is half a minute off",
          "Install a time service; without internet, give it a server of yours.",
          installs("chrony", family),
        ),
      ];
    }
    if (synchronised === false) {
      return [
        needsAction(
          "warning",
          "the clock is not synchronised (yet)",
          "Look whether its servers can be reached.",
          "timedatectl timesync-status",
        ),
      ];
    }
    return [passed(message`${services.join(", ")} keeps the clock`)];
  });
}

/** The host's own name. */
export function judgeNames({ names }: DoctorFacts): Finding[] {
  return judged(names, "the host's name", ({ hostname, error }) => {
    if (error === null) return [passed(message`${hostname} can be resolved`)];
    return [
      needsAction(
        "warning",
        message`this host's own name ${hostname} cannot be resolved (${error}): sign-ins of sudo and migrations get slow or fail`,
        "Write it into /etc/hosts.",
        `echo ${shellWord(`127.0.1.1 ${hostname}`)} >> /etc/hosts`,
      ),
    ];
  });
}

/** Ports that we or libvirt's networks need. */
export function judgePorts({ ports }: DoctorFacts): Finding[] {
  return judged(ports, "ports", ({ listen, ours, dns, dhcp }) => {
    const taken = ours ? [] : listen.filter(({ holder }) => holder !== null);
    const findings: Finding[] = taken.map(({ at, holder }) =>
      needsAction(
        "problem",
        message`${holder} has the port of ${at}, where the web server is to listen`,
        "Stop that program, or set listen in /etc/kvm-manager/config.toml to another port.",
      )
    );
    for (const [who, port, what] of [[dns, 53, "DNS"], [dhcp, 67, "DHCP"]] as const) {
      if (who === null) continue;
      findings.push(
        needsAction(
          "warning",
          message`${who} waits for ${what} at every address (port ${port}): networks of libvirt may fail to start`,
          "Let it listen at the addresses it needs alone.",
        ),
      );
    }
    const places = listen.map(({ at }) => at).join(", ");
    return findings.length > 0 ? findings : [
      passed(
        ours
          ? message`${places}: ours; nothing is in the way of libvirt's networks`
          : message`${places}: free; nothing is in the way of libvirt's networks`,
      ),
    ];
  });
}
