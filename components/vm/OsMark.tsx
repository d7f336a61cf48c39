import type { VM } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { systemOf } from "../../lib/vm/os/guest_system.ts";

/** The mark of a VM's system, with its name for whoever points at it or hears the page. Nothing where none is known. */
export function OsMark({ vm }: { vm: Pick<VM, "osType" | "osVariant" | "guest"> }) {
  const system = systemOf(vm);
  if (system === undefined) return null;
  const name = oneLine(system.name, 80);
  return (
    <span class="os-mark" data-os={system.family} role="img" aria-label={name} title={name}>
      {system.letters}
    </span>
  );
}
