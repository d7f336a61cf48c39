/** Judges of what VMs run on: libvirt, KVM, QEMU, the kernel's modules, the groups. */
import { installs } from "./distribution.ts";
import type { DoctorFacts } from "./facts.ts";
import { type Finding, judged, needsAction, passed } from "./finding.ts";
import { message, type Sentence } from "../../i18n/message.ts";

/** libvirt: installed, running, lets us in. */
export function judgeLibvirt({ libvirt, family, systemd }: DoctorFacts): Finding[] {
  return judged(libvirt, "libvirt", ({ connected, uri, error, version, hasLibrary, sockets }) => {
    if (connected) return [passed(`libvirt ${version ?? ""} answers at ${uri}`.replace("  ", " "))];
    if (!hasLibrary) {
      return [
        needsAction(
          "problem",
          "libvirt's client library is not installed",
          "Install libvirt.",
          installs("libvirt", family),
        ),
      ];
    }
    const why = error ?? "it does not answer";
    if (/permission denied|authentication/i.test(why)) {
      const join = "usermod --append --groups libvirt kvm-manager";
      return [
        needsAction(
          "problem",
          message`libvirt does not let this user in: ${why}`,
          "Let the user into the group libvirt, then start it again.",
          join,
        ),
      ];
    }
    if (sockets.length === 0 && family !== "other") {
      return [
        needsAction(
          "problem",
          "libvirt does not run here: it has no socket in /run/libvirt",
          "Start it; where it is not installed, install it first.",
          systemd ? "systemctl enable --now libvirtd" : "virtlogd -d && libvirtd -d",
        ),
      ];
    }
    return [
      needsAction(
        "problem",
        message`libvirt cannot be reached: ${why}`,
        "Start it again, and look at its log.",
        systemd ? "systemctl restart libvirtd; journalctl -u libvirtd -n 50" : "libvirtd -d",
      ),
    ];
  });
}

/** KVM: processor, modules, device, and whether libvirt would use it. */
export function judgeKvm({ kvm, libvirt }: DoctorFacts): Finding[] {
  return judged(kvm, "KVM", ({ device, groupMayUse, modules, flags, nested, arch, trouble }) => {
    const isPc = arch === "x86_64";
    if (!device) {
      const module = flags.includes("svm") ? "kvm_amd" : "kvm_intel";
      if (isPc && flags.length === 0) {
        return [
          needsAction(
            "problem",
            "the processor offers no virtualization: VMs are emulated, and slow",
            "Switch VT-x or AMD-V on in the firmware; in a virtual machine, nested virtualization in the host.",
          ),
        ];
      }
      return [
        needsAction(
          "problem",
          "/dev/kvm is missing: VMs are emulated, and slow",
          modules.length === 0
            ? "Load the kernel module."
            : "Look why the module makes no device: dmesg | grep kvm",
          isPc ? `modprobe ${module}` : "modprobe kvm",
        ),
      ];
    }
    const findings: Finding[] = [];
    if (!groupMayUse) {
      findings.push(
        needsAction(
          "problem",
          "only root may use /dev/kvm, and QEMU does not run as root",
          "Give it the group and mode that udev gives it.",
          "chgrp kvm /dev/kvm && chmod 660 /dev/kvm",
        ),
      );
    }
    if ("value" in libvirt && libvirt.value.connected && !libvirt.value.offersKvm) {
      findings.push(
        needsAction(
          "warning",
          "libvirt offers no KVM although /dev/kvm is there",
          "Start libvirt again, so that it asks QEMU again.",
          "systemctl restart libvirtd",
        ),
      );
    }
    if (findings.length === 0 && trouble !== null) {
      findings.push(
        needsAction(
          "problem",
          message`KVM cannot be used: ${trouble}`,
          "VMs are emulated, and slow. In a virtual machine, its own host must offer nested virtualization.",
        ),
      );
    }
    if (findings.length > 0) return findings;
    const how = modules.join(", ") || message`part of the kernel`;
    if (nested === null) return [passed(message`KVM can be used (${how})`)];
    return [
      passed(
        nested
          ? message`KVM can be used (${how}); guests can have guests`
          : message`KVM can be used (${how}); guests cannot have guests`,
      ),
    ];
  });
}

/** QEMU, its tool for images, its TPM emulator. */
export function judgeQemu({ libvirt, qemuImg, tpm, family }: DoctorFacts): Finding[] {
  const emulator = judged(libvirt, "QEMU", ({ connected, qemuVersion }) => {
    if (qemuVersion !== null) return [passed(message`QEMU ${qemuVersion}`)];
    return [
      connected
        ? needsAction(
          "problem",
          message`QEMU: libvirt finds no QEMU: no VM can start`,
          "Install it.",
          installs("qemu", family),
        )
        : needsAction("warning", message`QEMU: unknown while libvirt does not answer`, "Mend libvirt first."),
    ];
  });
  const tool = judged(qemuImg, "qemu-img", (there) =>
    there ? [] : [
      needsAction(
        "warning",
        "qemu-img is missing: libvirt cannot convert images",
        "Install it.",
        installs("qemuImg", family),
      ),
    ]);
  const authority = judged(tpm, "swtpm", ({ folder, foreign }) =>
    foreign.length === 0 ? [] : [
      needsAction(
        "warning",
        message`swtpm may not use its own certificates in ${folder}: VMs with a TPM do not start`,
        "They were made while libvirt ran as another user, before swtpm was installed with a user of its own. " +
          "Give them back to it.",
        `chown --recursive --reference=${folder} ${folder}`,
      ),
    ]);
  return [...emulator, ...tool, ...authority];
}

/** Kernel modules, and what is said where one is not loaded. */
const MODULES: Readonly<Record<string, Sentence>> = {
  tun: message`the kernel module tun is not loaded: where it cannot be, no VM can be on a network`,
  bridge:
    message`the kernel module bridge is not loaded: where it cannot be, no network of libvirt can start`,
  vhost_net:
    message`the kernel module vhost_net is not loaded: where it cannot be, networks of VMs are slower`,
};

/** The kernel's modules. */
export function judgeModules({ modules }: DoctorFacts): Finding[] {
  return judged(modules, "the kernel's modules", (loaded) => {
    const missing = Object.entries(MODULES).filter(([name]) => !loaded.includes(name));
    if (missing.length === 0) return [passed(message`${Object.keys(MODULES).join(", ")} are there`)];
    return missing.map(([name, text]) => needsAction("warning", text, "Load it.", `modprobe ${name}`));
  });
}

/** The groups that let the service in, and what is said of a user who is not in one. */
const GROUPS: Readonly<Record<string, (user: string) => Sentence>> = {
  libvirt: (user) => message`${user} is not in the group libvirt: libvirt's socket stays closed`,
  kvm: (user) => message`${user} is not in the group kvm: whether KVM works cannot be tried`,
};

/** The user this runs as. */
export function judgeGroups({ account }: DoctorFacts): Finding[] {
  return judged(account, "the user", ({ uid, user, groups, existing }) => {
    if (uid === 0) return [passed("this runs as root, which needs no groups")];
    const missing = Object.entries(GROUPS).filter(([name]) =>
      existing.includes(name) && !groups.includes(name)
    );
    if (missing.length === 0) {
      return [
        passed(
          message`${user} is in ${Object.keys(GROUPS).filter((name) => groups.includes(name)).join(" and ")}`,
        ),
      ];
    }
    return missing.map(([name, text]) =>
      needsAction(
        "warning",
        text(user),
        "Let it in, then start the service again.",
        `usermod --append --groups ${name} ${user}`,
      )
    );
  });
}
