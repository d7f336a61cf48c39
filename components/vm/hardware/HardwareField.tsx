/** Notes of every field of the hardware forms, next to its value: when it applies, and a change for the next start. */
import type { Hardware, HardwareOptions, PendingChange, VM } from "../../../lib/contract/mod.ts";
import type { Bounds, HardwareFormOutcome } from "../../../lib/vm/hardware_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { FieldChoice } from "../../kit/Field.tsx";
import { Icon } from "../../kit/Icon.tsx";
import { appliesAtOnce } from "../../../lib/vm/unsaved_hardware.ts";

const { t } = textsOf(hardware);

/** Props that the fields of a form share. */
export interface FieldContext {
  isOn: boolean;
  /** The head of the part says already that all of it needs a restart. */
  isMarked: boolean;
  pending: ReadonlyMap<string, PendingChange>;
  /** Changed and not saved: field → whether it needs a restart. */
  unsaved: ReadonlyMap<string, boolean>;
  outcome: HardwareFormOutcome | null;
  /** Values of a form that was refused without script. */
  typed: Readonly<Record<string, string>> | undefined;
}

/** A field's first value: what was typed before it was refused, else what is stored. */
export function valueIn({ typed }: FieldContext, name: string, stored: string | number): string | number {
  return typed?.[name] ?? stored;
}

/** Whether a box is ticked at first; an unticked one is not among what was typed. */
export function tickIn({ typed }: FieldContext, name: string, stored: boolean): boolean {
  return typed === undefined ? stored : typed[name] === "yes";
}

/** The mark of what a running VM takes only when it is shut down and started again. */
export function RestartMark() {
  return (
    <span class="when" title={t("hardware.restart_what")}>
      <Icon name="reboot" />
      {t("hardware.needs_restart")}
    </span>
  );
}

/** A field as commands and their errors name it: differences tell of `tpm 0`. */
const nameOf = (field: string) => field.split(" ")[0]!;

/** Hint of a field: what it is for, what waits, and the mark where it is an exception. */
function When({ field, context, hint }: { field: string; context: FieldContext; hint?: string }) {
  const waits = context.pending.get(field);
  const say = (value: string | null) => value === null ? t("hardware.nothing") : oneLine(value, 80);
  return (
    <>
      {hint !== undefined && <span class="hint-text">{hint}</span>}
      {waits && (
        <span class="when" data-tone="warn">
          <Icon name="reboot" />
          {t("hardware.differs", { live: say(waits.live), next: say(waits.next) })}
        </span>
      )}
      {!waits && needsRestart(field, context) && <RestartMark />}
    </>
  );
}

/** Whether a field is marked: what is typed into it, or nearly everything, waits for a restart. */
function needsRestart(field: string, { isOn, isMarked, unsaved }: FieldContext): boolean {
  return isOn && !isMarked && (unsaved.get(nameOf(field)) ?? !appliesAtOnce(field));
}

/** Label, hint and error of a field, for the components of `Field.tsx`. */
export function fieldFrame(field: string, label: string, context: FieldContext, hint?: string) {
  const { failure } = context.outcome ?? {};
  const name = nameOf(field);
  const isWrong = failure?.field === name || failure?.field?.startsWith(`${name}.`);
  return {
    label,
    ...((hint !== undefined || needsRestart(field, context) || context.pending.has(field)) && {
      hint: <When field={field} context={context} {...(hint !== undefined && { hint })} />,
    }),
    ...(isWrong && { error: failure!.why }),
  };
}

/** Props of the fields of a part. */
export interface FieldsProps {
  vm: VM;
  /** Stored configuration: the forms change that. */
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
