import { ACTIONS, isActionName } from "../lib/format/actions.ts";
import { type PlainKey, t } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

/** Other changes a form makes, and what is said about them. */
const CHANGES: Readonly<Record<string, PlainKey>> = {
  set_tags: "done.set_tags",
  set_group: "done.set_group",
  set_autostart: "done.set_autostart",
  set_vm_xml: "done.set_vm_xml",
  rename: "done.rename",
  clone: "done.clone",
  import: "done.import",
};

/** What the form that led here did, from `?done=`: a word of ours, whatever the address says. */
export function Done({ params }: { params: URLSearchParams }) {
  const done = params.get("done");
  if (done === null) return null;
  const change = Object.hasOwn(CHANGES, done) ? CHANGES[done] : undefined;
  const text = isActionName(done) ? t("done.plain", { action: t(ACTIONS[done].label) }) : change && t(change);
  if (text === undefined) return null;
  return (
    <p class="banner inset" data-tone="ok" role="status">
      <Icon name="check" />
      <span>{text}</span>
    </p>
  );
}
