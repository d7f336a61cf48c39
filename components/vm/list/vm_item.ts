/** Parts shared by rows and cards of the list. */
import type { VmListModel } from "../../../lib/client/vm_list_model.ts";
import type { VM } from "../../../lib/contract/mod.ts";

/** Props of a VM in the list. Each keeps its identity while nothing changed, so that the VM is not rendered again. */
export interface VmItemProps {
  vm: VM;
  model: VmListModel;
  selected: boolean;
  /** When the page was rendered: what spans are counted to in the first render. */
  now: number;
  /** Whether anything can be done now. */
  enabled: boolean;
  onMenu: (vm: VM, anchor: DOMRect) => void;
}

/** Label of a VM's host; undefined if the list is of one host. */
export function hostLabelOf({ vm, model }: Pick<VmItemProps, "vm" | "model">): string | undefined {
  return model.hostLabels.size === 0 ? undefined : model.hostLabels.get(vm.host) ?? vm.host;
}
