import type { VmListModel } from "../../../lib/client/vm_list_model.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { list as listTexts } from "../../../lib/i18n/en/list.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { BULK_FORM } from "./RowActions.tsx";

const texts = textsOf(listTexts);

/** The box that selects a VM; with Shift, all from the last one. Part of a plain form without script. */
export function SelectBox({ vm, model, selected }: { vm: VM; model: VmListModel; selected: boolean }) {
  const isAway = model.awayOf(vm) !== undefined;
  return (
    <label class="select-box">
      <input
        type="checkbox"
        form={BULK_FORM}
        name="vm"
        value={vm.id}
        checked={selected && !isAway}
        disabled={isAway}
        aria-label={texts.t("list.select", { name: oneLine(vm.name, 60) })}
        onClick={(event) => model.toggle(vm.id, event.shiftKey)}
      />
    </label>
  );
}
