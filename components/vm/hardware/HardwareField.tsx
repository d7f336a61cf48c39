/** What every field of the hardware forms shows beside its value: when it applies, and what waits. */
import type { Hardware, HardwareOptions, PendingChange, VM } from "../../../lib/contract/mod.ts";
import type { Bounds, FormOutcome } from "../../../lib/vm/hardware_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { FieldChoice } from "../../kit/Field.tsx";
import { Icon } from "../../kit/Icon.tsx";

const { t } = textsOf(hardware);

/** What the fields of a form have in common. */
export interface FieldContext {
  isOn: boolean;
  pending: ReadonlyMap<string, PendingChange>;
  outcome: FormOutcome | null;
}

/** Fields that a running VM takes at once. */
const AT_ONCE: ReadonlySet<string> = new Set([
  "cpu.count",
  "cpu.pinning",
  "memory.currentMb",
  "title",
  "description",
]);

/** Hint of a field: what it is for, and of a running VM when it applies. */
export function When({ field, context, hint }: { field: string; context: FieldContext; hint?: string }) {
  const { isOn, pending } = context;
  const waits = pending.get(field);
  const say = (value: string | null) => value === null ? t("hardware.nothing") : oneLine(value, 80);
  return (
    <>
      {hint !== undefined && <span class="hint-text">{hint}</span>}
      {waits
        ? (
          <span class="when" data-tone="warn">
            <Icon name="reboot" />
            {t("hardware.differs", { live: say(waits.live), next: say(waits.next) })}
          </span>
        )
        : isOn && (
          <span class="when" data-tone={AT_ONCE.has(field) ? "ok" : "off"}>
            <Icon name={AT_ONCE.has(field) ? "check" : "reboot"} />
            {t(AT_ONCE.has(field) ? "hardware.when_now" : "hardware.when_boot")}
          </span>
        )}
    </>
  );
}

/** Label, hint and error of a field, for the components of `Field.tsx`. */
export function fieldFrame(field: string, label: string, context: FieldContext, hint?: string) {
  const failure = context.outcome?.failure;
  const isWrong = failure?.field === field || failure?.field?.startsWith(`${field}.`);
  return {
    label,
    ...((hint !== undefined || context.isOn || context.pending.has(field)) && {
      hint: <When field={field} context={context} {...(hint !== undefined && { hint })} />,
    }),
    ...(isWrong && { error: failure!.why }),
  };
}

/** What the fields of a part are drawn from. */
export interface FieldsProps {
  vm: VM;
  /** What is stored: the forms change that. */
  next: Hardware;
  options: HardwareOptions | null;
  bounds: Bounds;
  context: FieldContext;
}

/** A choice, marked where this host does not have it. */
export function choice(
  value: string,
  label: string,
  isHere: boolean,
  why = t("hardware.not_here"),
): FieldChoice {
  return { value, label, ...(!isHere && { unavailable: why }) };
}

/** The list with the value that is set, which may be none of those offered. */
export function withCurrent(choices: readonly FieldChoice[], value: string | null): FieldChoice[] {
  const isThere = value === null || choices.some((each) => each.value === value);
  return isThere ? [...choices] : [...choices, { value: value!, label: oneLine(value!, 60) }];
}
