import type { Outcome } from "../lib/format/hardware_form.ts";
import { oneLine } from "../lib/format/text.ts";
import { hardware } from "../lib/i18n/en/hardware.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

const { t, plural } = textsOf(hardware);

/** What came of a form, below it. */
export function HardwareOutcome({ outcome }: { outcome: Outcome | null }) {
  const { result, failure, section } = outcome ?? {};
  if (failure) {
    return (
      <div class="note" data-tone="bad" role="alert">
        <Icon name="circleAlert" />
        <span>
          {oneLine(failure.why, 600)} {failure.advice}
        </span>
      </div>
    );
  }
  if (!result) return null;
  const waiting = result.waiting.length;
  const text = section === "pending"
    ? t("hardware.discarded")
    : waiting > 0
    ? plural("hardware.saved_waiting", waiting)
    : result.applied === 0
    ? t("hardware.unchanged")
    : t("hardware.saved");
  return (
    <div role="status">
      <p class="note" data-tone={waiting > 0 ? "info" : "ok"}>
        <Icon name={waiting > 0 ? "reboot" : "check"} />
        <span>{text}</span>
      </p>
      {result.warnings.map((warning) => (
        <p key={warning} class="note" data-tone="warn">
          <Icon name="alert" />
          <span>{oneLine(warning, 400)}</span>
        </p>
      ))}
    </div>
  );
}
