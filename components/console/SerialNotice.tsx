import type { SerialState } from "../../lib/client/serial_link.ts";
import { serial } from "../../lib/i18n/en/serial.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import type { SerialLine } from "../../lib/formats/xml/serial.ts";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";

const { t } = textsOf(serial);
type SerialKey = PlainKeyOf<typeof serial>;

/** Notice on a state: a title, an explanation, and the button that leads out. */
interface Notice {
  readonly tone: "ok" | "info" | "warn" | "bad" | "off";
  readonly icon: IconName;
  readonly title: SerialKey;
  readonly what?: SerialKey;
  readonly button?: { readonly label: SerialKey; readonly force: boolean };
}

const NOTICES: Readonly<Record<SerialState["at"] | "suspended" | Exclude<SerialLine, "ready">, Notice>> = {
  none: { tone: "warn", icon: "unplug", title: "serial.none", what: "serial.none_what" },
  elsewhere: { tone: "warn", icon: "unplug", title: "serial.elsewhere", what: "serial.elsewhere_what" },
  off: { tone: "off", icon: "power", title: "serial.off", what: "serial.off_what" },
  suspended: { tone: "info", icon: "suspend", title: "serial.suspended", what: "serial.suspended_what" },
  connecting: { tone: "info", icon: "loader", title: "serial.connecting" },
  open: { tone: "ok", icon: "check", title: "serial.open", what: "serial.open_what" },
  inUse: {
    tone: "warn",
    icon: "info",
    title: "serial.in_use",
    what: "serial.in_use_what",
    button: { label: "serial.take", force: true },
  },
  takenOver: {
    tone: "warn",
    icon: "info",
    title: "serial.taken",
    what: "serial.taken_what",
    button: { label: "serial.take", force: true },
  },
  waiting: {
    tone: "warn",
    icon: "unplug",
    title: "serial.waiting",
    button: { label: "serial.again", force: false },
  },
  failed: {
    tone: "bad",
    icon: "alert",
    title: "serial.failed",
    button: { label: "serial.again", force: false },
  },
};

/** Props of {@link SerialNotice}. */
export interface SerialNoticeProps {
  line: SerialLine;
  state: SerialState;
  /** Whether the VM's memory is on disk: it is off then, but goes on where it was. */
  isSuspended: boolean;
  onConnect: (force: boolean) => void;
}

/** Says how the console is, and what to do when it shows nothing. */
export function SerialNotice({ line, state, isSuspended, onConnect }: SerialNoticeProps) {
  const said = line !== "ready" ? line : state.at === "off" && isSuspended ? "suspended" : state.at;
  const { tone, icon, title, what, button } = NOTICES[said];
  return (
    <div class="serial-notice" data-tone={tone}>
      <p role="status">
        <Icon name={icon} />
        <strong>{t(title)}</strong> {what && <span>{t(what)}</span>}
        {"why" in state && line === "ready" && <span>{state.why}</span>}
      </p>
      {button && (
        <button type="button" class="button needs-script" onClick={() => onConnect(button.force)}>
          {t(button.label)}
        </button>
      )}
    </div>
  );
}
