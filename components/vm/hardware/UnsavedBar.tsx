import type { Unsaved } from "../../../lib/vm/unsaved_hardware.ts";
import type { HardwareFormOutcome } from "../../../lib/vm/hardware_form.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { FailureText } from "../../kit/FailureText.tsx";
import { Icon } from "../../kit/Icon.tsx";

const { t, plural } = textsOf(hardware);

/** Props of {@link UnsavedBar}. */
export interface UnsavedBarProps {
  unsaved: readonly Unsaved[];
  isOn: boolean;
  nextBootOnly: boolean;
  /** Why nothing was saved. */
  failure: HardwareFormOutcome["failure"];
  saving: boolean;
  enabled: boolean;
  onNextBootOnly: (nextBootOnly: boolean) => void;
  onDiscard: () => void;
  onSave: () => void;
}

/** Unsaved changes, always in sight, with the one button that saves them. */
export function UnsavedBar(props: UnsavedBarProps) {
  const { unsaved, isOn, nextBootOnly, failure, saving, enabled } = props;
  const restarts = unsaved.filter(({ needsRestart }) => needsRestart).length;
  const isShown = unsaved.length > 0;
  return (
    <section class={isShown ? "bulk unsaved-bar needs-script" : undefined} aria-label={t("hardware.unsaved")}>
      {isShown && failure && (
        <div class="unsaved-failure" role="alert">
          <Icon name="circleAlert" />
          <div>
            <strong>{t("hardware.nothing_saved")}</strong>
            <FailureText failure={failure} />
          </div>
        </div>
      )}
      {/* There before it says anything: screen readers hear of what changes within it alone. */}
      <p role="status" class={isShown ? "unsaved-count" : "visually-hidden"}>
        {isShown && <strong>{plural("hardware.changes", unsaved.length)}</strong>}
        {restarts > 0 && (
          <span class="when" data-tone="warn" title={t("hardware.restart_what")}>
            <Icon name="reboot" />
            {plural("hardware.restarts", restarts)}
          </span>
        )}
      </p>
      {isShown && (
        <>
          {isOn && (nextBootOnly || restarts < unsaved.length) && (
            <label class="check">
              <input
                type="checkbox"
                checked={nextBootOnly}
                onChange={(event) => props.onNextBootOnly(event.currentTarget.checked)}
              />
              <span>{t("hardware.boot_only")}</span>
            </label>
          )}
          <span class="unsaved-buttons">
            <button type="button" class="button" disabled={saving} onClick={props.onDiscard}>
              {t("hardware.discard")}
            </button>
            <button type="button" class="button primary" disabled={!enabled} onClick={props.onSave}>
              {t(saving ? "hardware.saving" : "hardware.save")}
            </button>
          </span>
        </>
      )}
    </section>
  );
}
