/** Hardware that a host supports for a VM, as the hardware page offers it. Pure. */
import { CPU_MODES } from "../../contract/choices.ts";
import type { HardwareOptions } from "../../contract/hardware.ts";
import type { DomainCapabilities } from "./capabilities.ts";

/**
 * Capabilities → options.
 *
 * @param host the host's CPUs and memory, which they do not tell
 */
export function hardwareOptions(
  capabilities: DomainCapabilities,
  host: Pick<HardwareOptions, "hostCpus" | "hostMemoryMb" | "shareDrivers">,
): HardwareOptions {
  const uefi = capabilities.firmwares.includes("efi");
  return {
    cpuModes: CPU_MODES.filter((mode) => mode === "default" || capabilities.cpuModes.includes(mode)),
    cpuModels: capabilities.cpuModels.filter(({ usable }) => usable).map(({ name }) => name).sort(),
    maxCpus: capabilities.maxCpus ?? null,
    uefi,
    secureBoot: uefi && capabilities.secureBoot,
    // libvirt 9.0 says that a TPM is supported as soon as QEMU has one: emulating it takes swtpm.
    tpm: capabilities.tpmBackends.includes("emulator"),
    tpmModels: [...capabilities.tpmModels],
    videoModels: [...capabilities.videoModels],
    ...host,
  };
}
