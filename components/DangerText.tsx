import type { VM } from "../lib/contract/mod.ts";
import { type ActionName, ACTIONS, ownDisks } from "../lib/format/actions.ts";
import { oneLine } from "../lib/format/text.ts";
import { plural, t } from "../lib/i18n/mod.ts";

/** More names than this are counted, not listed. */
const NAMED = 8;

/** The title of a question about machines. */
export function dangerTitle(action: ActionName, vms: readonly VM[]): string {
  const label = t(ACTIONS[action].label);
  const [first] = vms;
  return vms.length === 1 && first
    ? t("danger.single", { action: label, name: oneLine(first.name, 60) })
    : plural("danger.many", vms.length, { action: label });
}

/** What would be lost, of which machines. */
export function DangerText({ action, vms }: { action: ActionName; vms: readonly VM[] }) {
  const { danger } = ACTIONS[action];
  return (
    <>
      {danger && <p>{t(danger.lost)}</p>}
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

/** The separate box: the disks go, too. Never ticked from the start. */
export function DiskChoice({ vms }: { vms: readonly VM[] }) {
  const paths = vms.flatMap(ownDisks);
  if (paths.length === 0) return null;
  return (
    <div class="disk-choice">
      <label class="check">
        <input type="checkbox" name="deleteDisks" value="yes" />
        <span>{plural("danger.disks", paths.length)}</span>
      </label>
      <ul class="path-list">
        {paths.map((path) => <li key={path} class="mono" title={oneLine(path)}>{oneLine(path)}</li>)}
      </ul>
    </div>
  );
}
