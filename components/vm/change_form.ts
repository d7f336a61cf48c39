/** A form that changes one thing of a VM. */
import { sendsForm } from "../../lib/client/send_form.ts";
import type { CommandName, VM } from "../../lib/contract/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { type PlainKey, t } from "../../lib/i18n/mod.ts";

/**
 * Its attributes: it works with and without script.
 *
 * @param fields values that stand fast
 * @param failed what is said when it was refused
 */
export function changes(
  vm: Pick<VM, "id">,
  command: CommandName,
  fields: Readonly<Record<string, string | boolean>>,
  failed: PlainKey,
  after: (isDone: boolean) => void = () => {},
) {
  return {
    method: "post" as const,
    action: formHref(command, { vmId: vm.id, ...fields }, `/vms/${encodeURIComponent(vm.id)}`),
    onSubmit: sendsForm(t(failed), (_form, isDone) => after(isDone)),
  };
}
