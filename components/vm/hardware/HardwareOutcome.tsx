import type { HardwareFormOutcome } from "../../../lib/vm/hardware_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { Flash } from "../../kit/Flash.tsx";

const { t, plural } = textsOf(hardware);

/** Text on saved changes. */
export function savedText({ section, result }: HardwareFormOutcome): string {
  const waiting = result?.waiting.length ?? 0;
  if (section === "pending") return t("hardware.discarded");
  if (waiting > 0) return plural("hardware.saved_waiting", waiting);
  return t(result?.applied === 0 ? "hardware.unchanged" : "hardware.saved");
}

/** Result of a form, below it. A message shows the result of all together: only its warnings stay. */
export function HardwareOutcome({ outcome }: { outcome: HardwareFormOutcome | null }) {
  const { result, failure, section } = outcome ?? {};
  if (outcome === null || (section === "all" && failure)) return null;
  if (failure) return <Flash tone="bad" failure={failure} />;
  if (!result) return null;
  const isWaiting = result.waiting.length > 0;
  return (
    <div role="status">
      {section !== "all" && (
        <Flash tone={isWaiting ? "info" : "ok"} icon={isWaiting ? "reboot" : "check"} quiet>
          {savedText(outcome)}
        </Flash>
      )}
      {result.warnings.map((warning) => <Flash key={warning} tone="warn">{oneLine(warning, 400)}</Flash>)}
    </div>
  );
}
