import { runAction } from "../../lib/client/run_action.ts";
import type { VncPhase } from "../../lib/client/vnc_session.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { type ActionName, ACTIONS, actionWords } from "../../lib/vm/actions.ts";
import { type ScreenTrouble, screenTrouble } from "../../lib/console/closings.ts";
import { console as consoleTexts } from "../../lib/i18n/en/console.ts";
import { type PlainKeyOf, t as common, textsOf } from "../../lib/i18n/mod.ts";
import { actionTarget } from "../vm/action_target.ts";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";

const { t } = textsOf(consoleTexts);
type TextKey = PlainKeyOf<typeof consoleTexts>;

interface Trouble {
  readonly icon: IconName;
  readonly title: TextKey;
  readonly text: TextKey;
  /** Action that solves it at once. */
  readonly action?: ActionName;
  /** Links to the VM's configuration, where it can be solved. */
  readonly configure?: true;
  /** Another way to the screen. */
  readonly viewer?: true;
}

/** Why there is no moving picture → what is said of it, and what helps. */
const TROUBLES: Readonly<Record<ScreenTrouble, Trouble>> = {
  off: { icon: "power", title: "console.off", text: "console.off_what", action: "start" },
  suspended: {
    icon: "suspend",
    title: "console.suspended",
    text: "console.suspended_what",
    action: "start",
  },
  paused: { icon: "pause", title: "console.paused", text: "console.paused_what", action: "resume" },
  spice: {
    icon: "monitor",
    title: "console.spice",
    text: "console.spice_what",
    configure: true,
    viewer: true,
  },
  none: { icon: "monitor", title: "console.none", text: "console.none_what", configure: true },
};

/** Props of {@link ConsoleNotice}. */
export interface ConsoleNoticeProps {
  vm: VM;
  phase: VncPhase;
  /** Whether anything can be done to the VM now. */
  enabled: boolean;
  onAgain: () => void;
}

/** Says over a console's screen why it is black, and offers what helps. Nothing when it is not. */
export function ConsoleNotice({ vm, phase, enabled, onAgain }: ConsoleNoticeProps) {
  const trouble = screenTrouble(vm);
  if (trouble === null && phase.is === "connected") return null;
  const here = `/vms/${encodeURIComponent(vm.id)}`;
  if (trouble === null) {
    const isWaiting = phase.is === "waiting", reason = "reason" in phase ? phase.reason : undefined;
    return (
      <div class="console-notice">
        <Icon name={isWaiting ? "unplug" : "loader"} class={isWaiting ? "" : "spin"} />
        <h2>{t(isWaiting ? "console.lost" : "console.connecting")}</h2>
        <p>{reason ?? t("console.connecting_what")}</p>
        {reason !== undefined && <p>{t("console.again")}</p>}
        {isWaiting && (
          <button type="button" class="button" onClick={onAgain}>{t("console.again_now")}</button>
        )}
      </div>
    );
  }
  const { icon, title, text, action, configure, viewer } = TROUBLES[trouble];
  const usable = enabled && vm.operation === undefined;
  return (
    <div class="console-notice" data-trouble={trouble}>
      <Icon name={icon} />
      <h2>{t(title)}</h2>
      <p>{t(text)}</p>
      <div class="console-ways">
        {action !== undefined && (
          <form
            method="post"
            onSubmit={(event) => {
              event.preventDefault();
              void runAction(action, vm);
            }}
          >
            <button type="submit" class="button primary" {...actionTarget(action, vm)} disabled={!usable}>
              <Icon name={ACTIONS[action].icon} />
              {common(actionWords(action, vm).label)}
            </button>
          </form>
        )}
        {viewer && vm.state === "running" && (
          <a class="button" href={`${here}/console.vv`}>
            <Icon name="download" />
            {t("console.viewer_file")}
          </a>
        )}
        {configure && <a class="button" href={`${here}/xml`}>{t("console.configure")}</a>}
      </div>
    </div>
  );
}
