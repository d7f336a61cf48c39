import type { FormOutcome } from "../../../lib/vm/hardware_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { Flash } from "../../kit/Flash.tsx";

const { t, plural } = textsOf(hardware);

/** What came of a form, below it. */
export function HardwareOutcome({ outcome }: { outcome: FormOutcome | null }) {
  const { result, failure, section } = outcome ?? {};
  if (failure) return <Flash tone="bad" failure={failure} />;
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
      <Flash tone={waiting > 0 ? "info" : "ok"} icon={waiting > 0 ? "reboot" : "check"} quiet>{text}</Flash>
      {result.warnings.map((warning) => <Flash key={warning} tone="warn">{oneLine(warning, 400)}</Flash>)}
    </div>
  );
}
