import type { VM } from "../../lib/contract/mod.ts";
import { type ActionName, ACTIONS } from "../../lib/vm/actions.ts";
import { oneLine } from "../../lib/text/text.ts";
import { plural, t } from "../../lib/i18n/mod.ts";

/** More names than this are counted, not listed. */
const NAMED = 8;

/** The title of a question about VMs. */
export function confirmTitle(action: ActionName, vms: readonly VM[]): string {
  const label = t(ACTIONS[action].label);
  const [first] = vms;
  return vms.length === 1 && first
    ? t("danger.single", { action: label, name: oneLine(first.name, 60) })
    : plural("danger.many", vms.length, { action: label });
}

/** Description of the loss, with the names of the VMs. */
export function ConfirmText({ action, vms }: { action: ActionName; vms: readonly VM[] }) {
  const { danger, interrupts } = ACTIONS[action];
  return (
    <>
      {danger && <p>{t(danger.lost)}</p>}
      {interrupts && <p>{t("danger.interrupts")}</p>}
      {vms.length > 1 && (
        <ul class="name-list">
          {vms.slice(0, NAMED).map((vm) => (
            <li key={vm.id}>
              <bdi>{oneLine(vm.name, 60)}</bdi>
            </li>
          ))}
          {vms.length > NAMED && <li>{plural("danger.more", vms.length - NAMED)}</li>}
        </ul>
      )}
    </>
  );
}
