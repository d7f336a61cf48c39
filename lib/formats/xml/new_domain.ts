/** A new VM as libvirt's domain XML. Pure; every value is escaped by the writer. */
import { isPc } from "./machine_type.ts";
import type { NewVm } from "./new_vm.ts";
import { renderXml, xml, type XmlContent, type XmlNode } from "./build.ts";
import { METADATA_PREFIX, METADATA_URI, SCREEN_PASSWORDS } from "./metadata.ts";
import { manyCpus, newDevices } from "./new_devices.ts";

const OSINFO_URI = "http://libosinfo.org/xmlns/libvirt/domain/1.0";
/** Milliseconds the boot menu waits for a key. */
const BOOT_MENU_MS = 3000;

function metadata({ osUri, osType, tags, group, createdAt, graphics }: NewVm): XmlNode {
  const own = (name: string, attributes = {}, ...content: XmlContent[]) =>
    xml(`${METADATA_PREFIX}:${name}`, attributes, ...content);
  return xml(
    "metadata",
    {},
    osUri !== undefined && xml(
      "libosinfo:libosinfo",
      { "xmlns:libosinfo": OSINFO_URI },
      xml("libosinfo:os", { id: osUri }),
    ),
    own(
      "vm",
      {
        [`xmlns:${METADATA_PREFIX}`]: METADATA_URI,
        created: createdAt,
        os: osType,
        [SCREEN_PASSWORDS.name]: graphics === "none" ? undefined : SCREEN_PASSWORDS.value,
      },
      tags.map((tag) => own("tag", {}, tag)),
      group !== undefined && own("group", {}, group),
    ),
  );
}

/** Firmware is left to libvirt's choice among what is installed; only what it must and must not do is said. */
function firmwareFeatures({ firmware }: NewVm): XmlContent {
  if (firmware === "bios") return undefined;
  const enabled = firmware === "uefi-secure";
  return xml(
    "firmware",
    {},
    xml("feature", { enabled, name: "enrolled-keys" }),
    xml("feature", { enabled, name: "secure-boot" }),
  );
}

function os(vm: NewVm): XmlNode {
  const { arch, machine, kernel, firmware, bootMenu } = vm;
  return xml(
    "os",
    { firmware: firmware === "bios" ? undefined : "efi" },
    xml("type", { arch, machine: machine === "" ? undefined : machine }, "hvm"),
    firmwareFeatures(vm),
    kernel && [
      xml("kernel", {}, kernel.path),
      kernel.initrd !== undefined && xml("initrd", {}, kernel.initrd),
      kernel.args !== undefined && xml("cmdline", {}, kernel.args),
    ],
    bootMenu && xml("bootmenu", { enable: true, timeout: BOOT_MENU_MS }),
  );
}

const on = { state: "on" } as const;

/** Hyper-V enlightenments that Windows runs well with. Source: libvirt's "Hypervisor features". */
const hyperv = () =>
  xml(
    "hyperv",
    { mode: "custom" },
    xml("relaxed", on),
    xml("vapic", on),
    xml("spinlocks", { ...on, retries: 8191 }),
    xml("vpindex", on),
    xml("synic", on),
    xml("stimer", on),
    xml("reset", on),
  );

function features(vm: NewVm): XmlNode {
  const pc = isPc(vm.arch);
  return xml(
    "features",
    {},
    vm.arch !== "s390x" && xml("acpi"),
    pc && xml("apic"),
    pc && vm.hyperv && hyperv(),
    pc && xml("vmport", { state: "off" }),
    vm.firmware === "uefi-secure" && pc && xml("smm", on),
    manyCpus(vm) && xml("ioapic", { driver: "qemu" }),
  );
}

function cpu({ cpuMode, cpuModel, topology }: NewVm): XmlContent {
  if (cpuMode === "default" && topology === undefined) return undefined;
  return xml(
    "cpu",
    cpuMode === "default" ? {} : { mode: cpuMode, match: cpuMode === "custom" ? "exact" : undefined },
    cpuMode === "custom" && xml("model", { fallback: "forbid" }, cpuModel),
    topology && xml("topology", { ...topology }),
  );
}

function clock({ arch, localClock, hyperv }: NewVm): XmlNode {
  return xml(
    "clock",
    { offset: localClock ? "localtime" : "utc" },
    isPc(arch) && [
      xml("timer", { name: "rtc", tickpolicy: "catchup" }),
      xml("timer", { name: "pit", tickpolicy: "delay" }),
      xml("timer", { name: "hpet", present: false }),
      hyperv && xml("timer", { name: "hypervclock", present: true }),
    ],
  );
}

/** The XML to define it from. @throws {TypeError} for a disk that was not made yet */
export function newDomainXml(vm: NewVm): string {
  const { title, description } = vm;
  return renderXml(xml(
    "domain",
    { type: vm.virtType },
    xml("name", {}, vm.name),
    xml("uuid", {}, vm.uuid),
    title !== undefined && xml("title", {}, title),
    description !== undefined && xml("description", {}, description),
    metadata(vm),
    xml("memory", { unit: "MiB" }, vm.memoryMb),
    xml("currentMemory", { unit: "MiB" }, vm.memoryMb),
    xml("vcpu", {}, vm.cpuCount),
    os(vm),
    features(vm),
    cpu(vm),
    clock(vm),
    xml("on_poweroff", {}, "destroy"),
    xml("on_reboot", {}, "restart"),
    xml("on_crash", {}, "destroy"),
    isPc(vm.arch) &&
      xml("pm", {}, xml("suspend-to-mem", { enabled: false }), xml("suspend-to-disk", { enabled: false })),
    newDevices(vm),
  ));
}
