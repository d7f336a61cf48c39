import type { VM } from "../lib/contract/mod.ts";
import { oneLine } from "../lib/format/text.ts";
import { type PlainKey, plural, t } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

/** What a machine's own fields tell that a person should know, beside what the server says. */
const NOTES: readonly { applies: (vm: VM) => boolean; tone: "info" | "warn" | "bad"; text: PlainKey }[] = [
  { applies: (vm) => !vm.responsive, tone: "bad", text: "note.unresponsive" },
  { applies: (vm) => vm.virtType === "qemu", tone: "info", text: "note.emulated" },
  { applies: (vm) => !vm.persistent, tone: "warn", text: "note.transient" },
];

/** What about a machine needs a person, one line each. */
export function Notes({ vm }: { vm: VM }) {
  const own = NOTES.filter(({ applies }) => applies(vm));
  const { pendingChanges = 0 } = vm;
  if (own.length === 0 && vm.attention.length === 0 && pendingChanges === 0) return null;
  return (
    <ul class="notes">
      {vm.attention.map((text) => (
        <li key={text} class="note" data-tone="warn">
          <Icon name="alert" />
          <span>{oneLine(text, 400)}</span>
        </li>
      ))}
      {own.map(({ tone, text }) => (
        <li key={text} class="note" data-tone={tone}>
          <Icon name={tone === "info" ? "info" : "alert"} />
          <span>{t(text)}</span>
        </li>
      ))}
      {pendingChanges > 0 && (
        <li class="note" data-tone="info">
          <Icon name="reboot" />
          <span>
            {plural("note.pending", pendingChanges)}{" "}
            <a href={`/vms/${encodeURIComponent(vm.id)}/hardware`}>{t("note.pending_show")}</a>
          </span>
        </li>
      )}
    </ul>
  );
}
