/** Every check of the doctor: one line each. */
import type { DoctorFacts } from "./facts.ts";
import { HEALTH_AREAS } from "../../contract/health.ts";
import { type Finding } from "./finding.ts";
import { judgeGroups, judgeKvm, judgeLibvirt, judgeModules, judgeQemu } from "./checks_virtualization.ts";
import { judgeCluster, judgeLocks } from "./checks_locks.ts";
import { judgeCertificate, judgeState } from "./checks_self.ts";
import { judgeClock, judgeFirewall, judgeNames, judgePorts, judgeStorage } from "./checks_host.ts";

const JUDGES: Readonly<Record<typeof HEALTH_AREAS[number], (facts: DoctorFacts) => Finding[]>> = {
  libvirt: judgeLibvirt,
  kvm: judgeKvm,
  qemu: judgeQemu,
  modules: judgeModules,
  groups: judgeGroups,
  firewall: judgeFirewall,
  storage: judgeStorage,
  locks: judgeLocks,
  cluster: judgeCluster,
  clock: judgeClock,
  names: judgeNames,
  ports: judgePorts,
  state: judgeState,
  certificate: judgeCertificate,
};

/** A finding with the area it is of. */
export type AreaFinding = Finding & { readonly area: typeof HEALTH_AREAS[number] };

/** Everything that is found, in the order of the areas. */
export function examine(facts: DoctorFacts): AreaFinding[] {
  return HEALTH_AREAS.flatMap((area) => JUDGES[area](facts).map((finding) => ({ area, ...finding })));
}
