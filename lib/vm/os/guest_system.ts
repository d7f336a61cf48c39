/** Operating system of a VM: the guest's own report, else the one it was created for. Pure. */
import type { VM } from "../../contract/mod.ts";
import { osOf } from "./names.ts";

/** A system as lists show it. */
export interface ShownSystem {
  readonly name: string;
  /** Two letters for its mark. */
  readonly letters: string;
  readonly family: "linux" | "windows" | "bsd" | "other";
}

/** Ids by os-release and by libosinfo, without versions → letters and family. */
const MARKS: readonly (readonly [ids: RegExp, letters: string, family: ShownSystem["family"]])[] = [
  [/^(ms)?win/, "Wi", "windows"],
  [/^(free|open|net|dragonfly)bsd|^(opn|pf)sense/, "Bs", "bsd"],
  [/^debian/, "De", "linux"],
  [/^ubuntu/, "Ub", "linux"],
  [/^fedora/, "Fe", "linux"],
  [/^rhel|^redhat/, "Rh", "linux"],
  [/^centos/, "Ce", "linux"],
  [/^rocky/, "Ro", "linux"],
  [/^alma/, "Al", "linux"],
  [/^opensuse|^sles|^suse/, "Su", "linux"],
  [/^arch/, "Ar", "linux"],
  [/^alpine/, "Ap", "linux"],
  [/^gentoo/, "Ge", "linux"],
  [/^nixos/, "Ni", "linux"],
];

/** The system of a VM; undefined where nothing is known of it. */
export function systemOf(vm: Pick<VM, "osType" | "osVariant" | "guest">): ShownSystem | undefined {
  const told = vm.guest?.osName === "" ? undefined : vm.guest?.osName;
  const name = told ?? osOf(vm);
  if (name === undefined) return undefined;
  const id = (vm.guest?.osId ?? vm.osVariant ?? "").toLowerCase();
  const [, letters, family] = MARKS.find(([ids]) => ids.test(id)) ??
    (vm.osType === "windows"
      ? [null, "Wi", "windows"] as const
      : vm.osType === "linux" || /linux/i.test(name)
      ? [null, "Li", "linux"] as const
      : [null, "Os", "other"] as const);
  return { name, letters, family };
}

/** The guest's own name, where it is another than the VM's. */
export function ownHostname({ name, guest }: Pick<VM, "name" | "guest">): string | undefined {
  const own = guest?.hostname ?? "";
  return own === "" || own.toLowerCase() === name.toLowerCase() ? undefined : own;
}
